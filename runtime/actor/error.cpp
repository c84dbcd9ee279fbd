#include "runtime/actor/error.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/exit_reason.hpp>
#include <caf/message_builder.hpp>
#include <caf/sec.hpp>

#include <exception>
#include <utility>

namespace ao {
namespace {

constexpr auto category = caf::atom("ao");

/// The context is one message: the line, then key and value of each detail.
error unpack(std::uint8_t code, const caf::message& context) {
  error out{static_cast<ec>(code), {}};
  auto line = [&](std::size_t i) {
    return context.match_element<std::string>(i)
      ? context.get_as<std::string>(i)
      : std::string{};
  };
  if (!context.empty())
    out.context = line(0);
  for (std::size_t i = 1; i + 1 < context.size(); i += 2)
    out.details.emplace_back(line(i), line(i + 1));
  return out;
}

ec code_of(caf::sec code) {
  switch (code) {
  case caf::sec::request_timeout:
  case caf::sec::connection_timeout:
    return ec::timed_out;
  case caf::sec::request_receiver_down:
  case caf::sec::cannot_forward_to_invalid_actor:
  case caf::sec::no_route_to_receiving_node:
  case caf::sec::cannot_connect_to_node:
  case caf::sec::no_actor_published_at_port:
  case caf::sec::remote_lookup_failed:
  case caf::sec::socket_disconnected:
    return ec::not_reachable;
  default:
    return ec::internal;
  }
}

ec code_of(caf::exit_reason code) {
  switch (code) {
  case caf::exit_reason::normal:
    return ec::none;
  case caf::exit_reason::user_shutdown:
    return ec::shutting_down;
  case caf::exit_reason::remote_link_unreachable:
    return ec::not_reachable;
  default:
    return ec::internal;
  }
}

} // namespace

caf::error make_error(ec code, std::string context) {
  return caf::make_error(code, std::move(context));
}

caf::error make_error(const error& e) {
  caf::message_builder context;
  context.append(e.context);
  for (auto& [key, value] : e.details)
    context.append(key).append(value);
  return {static_cast<std::uint8_t>(e.code), category, context.to_message()};
}

error to_ao_error(const caf::error& e) {
  if (!e)
    return {ec::none, {}};
  if (e.category() == category)
    return unpack(e.code(), e.context());
  auto code = ec::internal;
  std::string word;
  if (e.category() == caf::atom("system")) {
    code = code_of(static_cast<caf::sec>(e.code()));
    word = to_string(static_cast<caf::sec>(e.code()));
  } else if (e.category() == caf::atom("exit")) {
    code = code_of(static_cast<caf::exit_reason>(e.code()));
    word = to_string(static_cast<caf::exit_reason>(e.code()));
  } else {
    return {code, caf::to_string(e)};
  }
  if (!e.context().empty())
    word += to_string(e.context());
  return {code, word};
}

void register_errors(caf::actor_system_config& config) {
  config.add_error_category(
    category,
    [](std::uint8_t code, caf::atom_value, const caf::message& context) {
      return to_string(unpack(code, context));
    });
}

error describe(const std::exception_ptr& thrown) {
  try {
    if (thrown)
      std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    return {ec::internal, e.what()};
  } catch (...) {
    return {ec::internal, "an exception of unknown type"};
  }
  return {ec::none, {}};
}

} // namespace ao
