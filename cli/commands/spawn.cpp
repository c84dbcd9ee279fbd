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
