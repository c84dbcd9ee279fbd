#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"

namespace ao::cli {
namespace {

using nlohmann::json;

/// Ending an agent and saving its work takes longer than a question.
constexpr milliseconds kill_deadline{60'000};
constexpr milliseconds cleanup_deadline{600'000};

bool is_at_rest(const json& session) {
  auto state = text_at(session, "runtime.state");
  return state == "exited" || state == "parked" || state == "queued";
}

bool lives_or_waits(const json& session) {
  auto state = text_at(session, "runtime.state");
  return state == "alive" || state == "exited" || state == "parked"
    || (state == "queued" && !text_at(session, "runtime.reason").empty());
}

outcome act_on_session(invocation& what, std::string_view action,
                       const std::function<bool(const json&)>& settled) {
  auto id = what.args.text("session");
  auto answer
    = what.api().call("POST", item_path("sessions", id, action), json::object(),
                      idempotency(make_ulid()), kill_deadline);
  if (!answer)
    return fail(answer.error());
  auto session = follow_session(what, answer->body, settled, kill_deadline);
  if (!session)
    return fail(session.error());
  what.out.document(*session);
  auto reason = text_at(*session, "runtime.reason");
  what.out.line(id + " is " + shown(*session, "status")
                + (reason.empty() ? "" : ": " + reason));
  return 0;
}

} // namespace

outcome run_session_ls(invocation& what) {
  auto target = api_root + "/sessions";
  add_query(target, "project", what.project);
  if (what.args.flag("include-terminated"))
    add_query(target, "include", "terminated");
  return show_list(what, target,
                   {{"SESSION", "id"},
                    {"STATUS", "status"},
                    {"PROJECT", "projectId"},
                    {"ROLE", "role"},
                    {"ISSUE", "issueId"},
                    {"PR", "pr"},
                    {"BRANCH", "branch"}},
                   6, "No sessions.");
}

outcome run_session_show(invocation& what) {
  return show_object(what, item_path("sessions", what.args.text("session")));
}

outcome run_session_kill(invocation& what) {
  return act_on_session(what, "kill", is_at_rest);
}

outcome run_session_restore(invocation& what) {
  return act_on_session(what, "restore", lives_or_waits);
}

outcome run_session_cleanup(invocation& what) {
  auto dry = what.args.flag("dry-run");
  json body = {{"dryRun", dry}};
  if (!what.project.empty())
    body["project"] = what.project;
  auto answer = what.api().call("POST", api_root + "/sessions/cleanup", body,
                                idempotency(make_ulid()), cleanup_deadline);
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  int code = 0;
  for (const auto& row : answer->body.value("data", json::array())) {
    auto action = text_at(row, "action");
    auto id = shown(row, "session");
    if (action == "cleaned")
      what.out.line("Cleaned: " + id);
    else if (action == "would_kill")
      what.out.line("Would kill " + id);
    else
      what.out.line("Kept: " + id + " (" + shown(row, "why") + ")");
    if (action == "failed")
      code = 1;
  }
  return code;
}

} // namespace ao::cli
