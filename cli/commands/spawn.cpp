#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"

namespace ao::cli {
namespace {

using nlohmann::json;
using clock = std::chrono::steady_clock;

/// How far a new session is.
enum class progress { under_way, settled, failed };

progress progress_of(const json& session) {
  auto status = text_at(session, "status");
  auto runtime = text_at(session, "runtime.state");
  if (status == "errored" || status == "killed" || status == "parked")
    return progress::failed;
  if (runtime == "alive" || runtime == "exited" || status == "queued"
      || status == "blocked" || status == "auth_blocked"
      || status == "rate_limited" || status == "done" || status == "merged")
    return progress::settled;
  return progress::under_way;
}

/// Looks at the session after each of its events until it has settled.
result<json> follow(invocation& what, const json& made, milliseconds allowed) {
  auto api = what.api();
  auto id = text_at(made, "id");
  auto until = clock::now() + allowed;
  result<json> seen = made;
  auto target = api_root + "/events";
  add_query(target, "after", "0");
  add_query(target, "subject", "session:" + id);
  auto done = progress_of(made) != progress::under_way;
  while (!done) {
    auto left = std::chrono::duration_cast<milliseconds>(until - clock::now());
    if (left.count() <= 0)
      return fail(ec::timed_out,
                  id + " is still " + shown(*seen, "runtime.state")
                    + "; it goes on, see ao why " + id);
    auto look = [&](const http::received_event&) {
      auto answer = api.call("GET", item_path("sessions", id));
      seen = answer ? result<json>{std::move(answer->body)}
                    : result<json>{fail(answer.error())};
      done = !seen || progress_of(*seen) != progress::under_way;
      return done ? http::api_client::next::stop : http::api_client::next::more;
    };
    auto streamed = api.stream(target, look, left);
    if (!streamed && streamed.error().code != ec::timed_out)
      return fail(streamed.error());
  }
  return seen;
}

void tell(output& out, const json& session) {
  auto id = text_at(session, "id");
  auto reason = text_at(session, "runtime.reason");
  out.line(id + " is " + shown(session, "status")
           + (reason.empty() ? "" : ": " + reason));
  for (auto name : {"task", "branch", "workspacePath"})
    if (auto text = text_at(session, name); !text.empty())
      out.line("  " + std::string{name} + ": " + text);
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
    session = follow(what, *session, *allowed);
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
