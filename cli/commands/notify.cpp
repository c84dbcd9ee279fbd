#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "runtime/home/files.hpp"

#include <set>

namespace ao::cli {
namespace {

using nlohmann::json;

/// How long a test is waited for when it is not said: a model's turn.
constexpr milliseconds usual_wait{90'000};

/// The rows of these ids as they are now.
result<json> look_up(const http::api_client& api,
                     const std::set<std::string>& ids) {
  auto answer = api.call("GET", api_root + "/notifications");
  if (!answer)
    return fail(answer.error());
  auto out = json::array();
  for (auto& row : answer->body.at("data"))
    if (ids.count(text_at(row, "id")) > 0)
      out.push_back(std::move(row));
  return out;
}

bool any_is(const json& rows, const std::string& state) {
  for (const auto& row : rows)
    if (text_at(row, "state") == state)
      return true;
  return false;
}

/// Looks again at each event until none of them is pending, or the time is
/// over.
result<json> follow(invocation& what, const std::set<std::string>& ids,
                    milliseconds allowed) {
  using clock = std::chrono::steady_clock;
  auto api = what.api();
  auto until = clock::now() + allowed;
  auto target = api_root + "/events";
  // From the first on, so that none comes between two looks.
  add_query(target, "after", "0");
  add_query(target, "subject", "hub");
  auto seen = look_up(api, ids);
  while (seen && any_is(*seen, "pending")) {
    auto left = std::chrono::duration_cast<milliseconds>(until - clock::now());
    if (left.count() <= 0)
      return seen;
    auto look = [&](const http::received_event& e) {
      if (e.event.compare(0, 13, "notification_") != 0)
        return http::api_client::next::more;
      seen = look_up(api, ids);
      return seen && any_is(*seen, "pending") ? http::api_client::next::more
                                              : http::api_client::next::stop;
    };
    auto streamed = api.stream(target, look, left);
    if (!streamed && streamed.error().code != ec::timed_out)
      return fail(streamed.error());
    if (!streamed)
      seen = look_up(api, ids);
  }
  return seen;
}

void print_notifications(invocation& what, const json& rows) {
  print_rows(what.out, rows,
             {{"NOTIFICATION", "id"},
              {"STATE", "state"},
              {"PRIORITY", "priority"},
              {"EVENT", "kind"},
              {"TRIES", "attempts"},
              {"NEXT", "nextAt"},
              {"LAST ERROR", "lastError"}},
             6, "No notifications.");
}

/// One document: the rows, or the problem with what is known of the first row
/// that has it.
outcome finish(invocation& what, const json& rows, const std::string& request) {
  print_notifications(what, rows);
  for (const auto* state : {"dead", "pending"})
    for (const auto& row : rows) {
      if (text_at(row, "state") != state)
        continue;
      auto dead = text_at(row, "state") == "dead";
      auto reason = text_at(row, "lastError");
      error why{dead ? ec::process_failed : ec::timed_out,
                text_at(row, "id") + " is " + state
                  + (reason.empty() ? "" : ": " + reason)
                  + (dead ? "" : "; it is tried again until it is taken")};
      why.details = {{"notification", text_at(row, "id")},
                     {"state", state},
                     {"lastError", reason},
                     {"requestId", request}};
      return fail(why);
    }
  what.out.document({{"data", rows}});
  return 0;
}

} // namespace

outcome run_notify_ls(invocation& what) {
  auto target = api_root + "/notifications";
  add_query(target, "state", what.args.text("state"));
  add_query(target, "channel", what.args.text("channel"));
  auto answer = what.api().call("GET", target);
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  print_notifications(what, answer->body.at("data"));
  return 0;
}

outcome run_notify_retry(invocation& what) {
  auto answer = what.api().call(
    "POST", item_path("notifications", what.args.text("notification"), "retry"),
    json::object(), idempotency(request_id_of(what)));
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  what.out.line(shown(answer->body, "id") + " is "
                + shown(answer->body, "state"));
  return 0;
}

outcome run_notify_test(invocation& what) {
  auto allowed = what.args.duration("timeout", usual_wait);
  if (!allowed)
    return fail(allowed.error());
  auto request = request_id_of(what);
  json body = json::object();
  for (const auto* name : {"channel", "priority", "text"})
    if (auto value = what.args.maybe(name)) {
      if (!is_clean_utf8(*value))
        return fail(ec::bad_input,
                    std::string{name} + ": it has a NUL or is not UTF-8");
      body[name] = *value;
    }
  auto answer = what.api().call("POST", api_root + "/notifications/test", body,
                                idempotency(request));
  if (!answer)
    return fail(answer.error());
  auto rows = answer->body.at("data");
  if (what.args.flag("no-wait")) {
    what.out.document(answer->body);
    print_notifications(what, rows);
    return 0;
  }
  std::set<std::string> ids;
  for (const auto& row : rows)
    ids.insert(text_at(row, "id"));
  auto seen = follow(what, ids, *allowed);
  if (!seen)
    return fail(seen.error());
  return finish(what, *seen, request);
}

} // namespace ao::cli
