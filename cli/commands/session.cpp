#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"

namespace ao::cli {
namespace {

using nlohmann::json;

/// Ending an agent and saving its work takes longer than a question.
constexpr milliseconds kill_deadline{60'000};
constexpr milliseconds cleanup_deadline{600'000};

outcome act_on_session(invocation& what, std::string_view action) {
  auto id = what.args.text("session");
  auto answer
    = what.api().call("POST", item_path("sessions", id, action), json::object(),
                      idempotency(make_ulid()), kill_deadline);
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  what.out.line(id + " is " + shown(answer->body, "status"));
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
  return act_on_session(what, "kill");
}

outcome run_session_restore(invocation& what) {
  return act_on_session(what, "restore");
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
