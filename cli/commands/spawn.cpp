#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"

namespace ao::cli {
namespace {

using nlohmann::json;

/// How far a new session is.
enum class progress { under_way, settled, failed };

progress progress_of(const json& session) {
  auto status = text_at(session, "status");
  auto runtime = text_at(session, "runtime.state");
  // Nobody has looked yet whether it has to wait.
  if (status == "queued" && text_at(session, "runtime.reason").empty())
    return progress::under_way;
  if (status == "errored" || status == "killed" || status == "parked")
    return progress::failed;
  // Without a reason the dispatcher has not looked at it yet.
  if (status == "queued" && text_at(session, "runtime.reason").empty())
    return progress::under_way;
  if (runtime == "alive" || runtime == "exited" || status == "queued"
      || status == "blocked" || status == "auth_blocked"
      || status == "rate_limited" || status == "done" || status == "merged")
    return progress::settled;
  return progress::under_way;
}

void tell(output& out, const json& session) {
  auto id = text_at(session, "id");
  auto reason = text_at(session, "runtime.reason");
  out.line(id + " is " + shown(session, "status")
           + (reason.empty() ? "" : ": " + reason));
  for (auto name : {"task", "branch", "workspacePath"})
    if (auto text = text_at(session, name); !text.empty())
      out.line("  " + std::string{name} + ": " + text);
  print_suspects(out, session);
}

} // namespace

outcome run_spawn(invocation& what) {
  auto prompt = text_or_file(what, "prompt");
  if (!prompt)
    return fail(prompt.error());
  auto issue = what.args.maybe("issue");
  if (!issue && !*prompt)
    return fail(ec::bad_input,
                "neither an issue nor a prompt; expected ao spawn T1 or ao "
                "spawn --prompt TEXT");
  if (issue && *prompt)
    return fail(ec::bad_input, "an issue and --prompt exclude each other");
  auto allowed = what.args.duration("timeout", milliseconds{600'000});
  if (!allowed)
    return fail(allowed.error());
  auto id = request_id_of(what);
  json body = {{"requestId", id}};
  put_place(what, body);
  if (issue)
    body["issue"] = *issue;
  if (*prompt)
    body["prompt"] = **prompt;
  for (const auto* name : {"agent", "node"})
    if (auto value = what.args.maybe(name))
      body[name] = *value;
  auto answer
    = what.api().call("POST", api_root + "/sessions", body, idempotency(id));
  if (!answer)
    return fail(answer.error());
  result<json> session = std::move(answer->body);
  if (!what.args.flag("no-wait"))
    session = follow_session(
      what, *session,
      [](const json& now) { return progress_of(now) != progress::under_way; },
      *allowed);
  if (!session)
    return fail(session.error());
  auto name = text_at(*session, "id");
  if (progress_of(*session) == progress::failed && !what.args.flag("no-wait")) {
    error why{ec::saga_failed,
              name + " is " + shown(*session, "status") + ": "
                + shown(*session, "runtime.reason")};
    why.details.emplace_back("session", name);
    return fail(std::move(why));
  }
  what.out.document(*session);
  tell(what.out, *session);
  what.out.result_line("SESSION", name);
  return 0;
}

} // namespace ao::cli
