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

/// `alive since …, pid 12 (shim 11)`, `exited with status 0 at …`.
std::string process_of(const json& session) {
  auto state = text_at(session, "runtime.state");
  auto reason = text_at(session, "runtime.reason");
  if (state == "alive")
    return "alive since " + shown(session, "runtime.startedAt") + ", pid "
      + shown(session, "runtime.pid") + " (shim "
      + shown(session, "runtime.shimPid") + ")";
  if (state == "exited"
      && session.at("runtime").value("exit", json{}).is_object()) {
    auto code = shown(session, "runtime.exit.code");
    auto how = code == "-"
      ? "by signal " + shown(session, "runtime.exit.signal")
      : "with status " + code;
    auto failure = text_at(session, "runtime.exit.class");
    return "exited " + how + (failure.empty() ? "" : " (" + failure + ")")
      + " at " + shown(session, "runtime.exit.at");
  }
  return state + (reason.empty() ? "" : ": " + reason);
}

/// `app#1: open, ci passed, review none, at 0123456789ab`.
std::string change_of(const json& session) {
  auto id = text_at(session, "pr");
  if (id.empty())
    return "-";
  return id + ": " + shown(session, "change.state") + ", ci "
    + shown(session, "change.ci") + ", review "
    + shown(session, "change.review") + ", at "
    + text_at(session, "change.sha").substr(0, 12);
}

/// What a person wants to know of a session, a line for each.
void print_session(output& out, const json& session) {
  auto status = shown(session, "status");
  auto summary = text_at(session, "summary");
  out.line(shown(session, "id") + " is " + status
             + (summary.empty() || status == "working" ? "" : ": " + summary),
           colour_of(status));
  auto say = [&out](const char* name, const std::string& text) {
    constexpr std::size_t width = 10;
    out.line("  " + padded(name, width) + text);
  };
  auto issue = text_at(session, "issue");
  say("task",
      shown(session, "task") + (issue.empty() ? "" : ", " + issue)
        + ", in project " + shown(session, "project"));
  say("agent",
      shown(session, "agent") + " on " + shown(session, "node") + ", run "
        + shown(session, "run") + ", restarted " + shown(session, "restarts")
        + " times");
  say("process", process_of(session));
  say("claim",
      session.value("claim", json{}).is_object()
        ? "epoch " + shown(session, "claim.epoch")
        : "released, was epoch " + shown(session, "epoch"));
  say("branch", shown(session, "branch"));
  say("change", change_of(session));
  say("worktree", shown(session, "workspacePath"));
  if (text_at(session, "runtime.state") == "alive")
    say("terminal", "ao attach " + shown(session, "id"));
  for (const auto& kept : session.value("rescue", json::array()))
    say("kept work", shown(kept, "ref") + " in " + shown(kept, "repo"));
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
  auto answer
    = what.api().call("GET", item_path("sessions", what.args.text("session")));
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  print_session(what.out, answer->body);
  return 0;
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
