#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "cli/commands/spawning.hpp"

namespace ao::cli {
namespace {

using nlohmann::json;

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

/// `ao spawn --claim-pr`.
outcome spawn_on_change(invocation& what, const std::string& change,
                        milliseconds allowed) {
  json body = json::object();
  for (const auto* name : {"agent", "node"})
    if (auto value = what.args.maybe(name))
      body[name] = *value;
  if (what.args.flag("assign-on-github"))
    body["assign"] = true;
  auto answer = take_over(what, change, std::move(body),
                          !what.args.flag("no-wait"), allowed);
  if (!answer)
    return fail(answer.error());
  const auto& session = answer->at("session");
  what.out.document(session);
  tell(what.out, session);
  print_takeover(what.out, *answer);
  what.out.result_line("SESSION", text_at(session, "id"));
  return 0;
}

} // namespace

outcome run_spawn(invocation& what) {
  auto prompt = text_or_file(what, "prompt");
  if (!prompt)
    return fail(prompt.error());
  auto issue = what.args.maybe("issue");
  auto allowed = what.args.duration("timeout", milliseconds{600'000});
  if (!allowed)
    return fail(allowed.error());
  if (auto change = what.args.maybe("claim-pr")) {
    if (issue || *prompt)
      return fail(ec::bad_input,
                  "--claim-pr takes over the task of the change, so it goes "
                  "without an issue and a prompt; tell the session more by ao "
                  "send");
    return spawn_on_change(what, *change, *allowed);
  }
  if (what.args.flag("assign-on-github"))
    return fail(ec::bad_input, "--assign-on-github needs --claim-pr");
  if (!issue && !*prompt)
    return fail(ec::bad_input,
                "neither an issue nor a prompt; expected ao spawn T1 or ao "
                "spawn --prompt TEXT");
  if (issue && *prompt)
    return fail(ec::bad_input, "an issue and --prompt exclude each other");
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
  auto session
    = start_session(what, body, id, !what.args.flag("no-wait"), *allowed);
  if (!session)
    return fail(session.error());
  what.out.document(*session);
  tell(what.out, *session);
  what.out.result_line("SESSION", text_at(*session, "id"));
  return 0;
}

} // namespace ao::cli
