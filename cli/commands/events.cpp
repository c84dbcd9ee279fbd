#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "cli/commands/event_text.hpp"

#include <chrono>
#include <thread>

namespace ao::cli {
namespace {

using nlohmann::json;

/// How long a hub that is there may take to have an API again.
constexpr std::chrono::milliseconds restart_limit{10'000};
constexpr std::chrono::milliseconds gone_limit{500};
constexpr std::chrono::milliseconds restart_pause{50};

/// In columns that are as wide as usual: what comes later is not known yet.
void print_event(output& out, const json& event) {
  constexpr std::size_t seq_width = 6;
  constexpr std::size_t subject_width = 16;
  constexpr std::size_t kind_width = 20;
  out.document(event);
  auto seq = shown(event, "seq");
  auto left = seq.size() < seq_width ? seq_width - seq.size() : 0;
  out.line(std::string(left, ' ') + seq + "  " + shown(event, "at") + "  "
           + padded(shown(event, "subject"), subject_width) + "  "
           + padded(shown(event, "kind"), kind_width) + "  "
           + detail_of(event));
}

/// Prints what is there already; returns the number of the last one.
result<std::uint64_t> print_past(invocation& what, std::uint64_t after) {
  auto api = what.api();
  for (;;) {
    auto target = api_root + "/events?limit=1000";
    add_query(target, "after", std::to_string(after));
    add_query(target, "subject", what.args.text("subject"));
    auto page = api.call("GET", target);
    if (!page)
      return fail(page.error());
    auto rows = page->body.value("data", json::array());
    if (rows.empty())
      return after;
    for (const auto& row : rows) {
      print_event(what.out, row);
      after = std::max(after, row.at("seq").get<std::uint64_t>());
    }
  }
}

/// Prints what comes, until the stream ends.
result<void> follow(invocation& what, std::uint64_t& last) {
  auto target = api_root + "/events";
  add_query(target, "after", std::to_string(last));
  add_query(target, "subject", what.args.text("subject"));
  return what.api().stream(target, [&](const http::received_event& one) {
    auto event = json::parse(one.data, nullptr, false);
    if (event.is_object()) {
      print_event(what.out, event);
      last = std::max(last, event.value("seq", last));
    }
    return http::api_client::next::more;
  });
}

/// After the end of a stream: prints what came meanwhile, as soon as the hub
/// answers. Errors: what it says for too long; `hub_not_running` soon.
result<void> go_on(invocation& what, std::uint64_t& last) {
  auto began = std::chrono::steady_clock::now();
  for (;;) {
    auto read = print_past(what, last);
    if (read) {
      last = *read;
      return {};
    }
    // A connection that breaks says so too, so that one look is not enough.
    auto limit
      = read.error().code == ec::hub_not_running ? gone_limit : restart_limit;
    if (std::chrono::steady_clock::now() - began >= limit)
      return fail(read.error());
    std::this_thread::sleep_for(restart_pause);
  }
}

} // namespace

outcome run_events(invocation& what) {
  auto after = what.args.number("after", 0);
  if (!after)
    return fail(after.error());
  auto last = print_past(what, *after);
  if (!last)
    return fail(last.error());
  if (!what.args.flag("follow"))
    return 0;
  for (;;) {
    auto ended = follow(what, *last);
    if (ended)
      return 0;
    // The API was started anew, or is about to be: the record goes on.
    if (auto again = go_on(what, *last); !again)
      return fail(again.error());
  }
}

} // namespace ao::cli
