#include "runtime/http/problem.hpp"

#include <charconv>
#include <string_view>

namespace ao::http {
namespace {

using nlohmann::json;

/// Members of a problem document that programs read as numbers.
constexpr std::string_view counting[]
  = {"epoch", "current", "run", "pid", "seq", "retryAfterMs"};

/// Members that the frame of the document fills itself.
constexpr std::string_view framing[]
  = {"type", "title", "status", "detail", "error"};

template <std::size_t N>
bool is_one_of(std::string_view name, const std::string_view (&names)[N]) {
  for (auto candidate : names)
    if (candidate == name)
      return true;
  return false;
}

json member(const std::string& name, const std::string& value) {
  std::uint64_t n = 0;
  const auto* end = value.data() + value.size();
  auto [stop, bad] = std::from_chars(value.data(), end, n);
  if (is_one_of(name, counting) && bad == std::errc{} && stop == end)
    return n;
  return value;
}

/// The code for a status that came without a problem document of ours.
ec code_of_status(int status) {
  switch (status) {
  case 400:
    return ec::bad_input;
  case 401:
    return ec::bad_token;
  case 403:
    return ec::not_allowed;
  case 404:
    return ec::no_such_route;
  case 405:
    return ec::method_not_allowed;
  case 408:
  case 504:
    return ec::timed_out;
  case 409:
  case 410:
    return ec::wrong_state;
  case 413:
    return ec::too_large;
  case 423:
    return ec::agent_not_ready;
  default:
    return ec::internal;
  }
}

} // namespace

json problem(ec code, const std::string& detail, const json& extra) {
  const auto& row = info(code);
  auto name = std::string{row.name};
  json out = {{"type", "urn:ao:" + name},
              {"title", std::string{row.title}},
              {"status", row.http_status},
              {"detail", detail},
              {"error", name}};
  if (extra.is_object())
    for (const auto& [key, value] : extra.items())
      if (!is_one_of(key, framing))
        out[key] = value;
  return out;
}

json problem(const error& why) {
  auto extra = json::object();
  for (const auto& [name, value] : why.details)
    extra[name] = member(name, value);
  return problem(why.code, why.context, extra);
}

response problem_response(ec code, const std::string& detail,
                          const json& extra) {
  auto out
    = json_response(info(code).http_status, problem(code, detail, extra));
  out.content_type = "application/problem+json";
  return out;
}

response problem_response(const error& why) {
  auto out = json_response(info(why.code).http_status, problem(why));
  out.content_type = "application/problem+json";
  return out;
}

error error_of_problem(int status, const std::string& body) {
  auto document = json::parse(body, nullptr, false);
  auto word = document.is_object() ? document.find("error") : document.end();
  if (!document.is_object() || word == document.end() || !word->is_string())
    return error{code_of_status(status),
                 "the server answered " + std::to_string(status)};
  auto name = word->get<std::string>();
  auto code = ec_from_name(name);
  error out;
  // A newer hub may know words that we do not; its status still counts.
  if (code == ec::internal && name != to_string(ec::internal)) {
    code = code_of_status(status);
    out.context = name + ": ";
  }
  out.code = code;
  auto detail = document.find("detail");
  if (detail != document.end() && detail->is_string())
    out.context += detail->get<std::string>();
  for (const auto& [key, value] : document.items())
    if (!is_one_of(key, framing))
      out.details.emplace_back(
        key, value.is_string() ? value.get<std::string>() : value.dump());
  return out;
}

} // namespace ao::http
