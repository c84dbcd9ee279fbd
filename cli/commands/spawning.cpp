#include "cli/commands/spawning.hpp"

#include "cli/commands/common.hpp"

namespace ao::cli {
namespace {

using nlohmann::json;

/// How far a new session is.
enum class progress { under_way, settled, failed };

progress progress_of(const json& session) {
  auto status = text_at(session, "status");
  auto runtime = text_at(session, "runtime.state");
  // Without a reason the dispatcher has not looked at it yet; whoever had its
  // branch before is being stopped.
  if (status == "queued"
      && (text_at(session, "runtime.reason").empty()
          || !text_at(session, "waitsFor").empty()))
    return progress::under_way;
  if (status == "errored" || status == "killed" || status == "parked")
    return progress::failed;
  if (runtime == "alive" || runtime == "exited" || status == "queued"
      || status == "blocked" || status == "auth_blocked"
      || status == "rate_limited" || status == "done" || status == "merged")
    return progress::settled;
  return progress::under_way;
}

} // namespace

result<json> start_session(invocation& what, const json& body,
                           const std::string& request, bool wait,
                           milliseconds allowed) {
  auto answer = what.api().call("POST", api_root + "/sessions", body,
                                idempotency(request));
  if (!answer)
    return fail(answer.error());
  if (!wait)
    return std::move(answer->body);
  return await_start(what, answer->body, allowed);
}

result<json> await_start(invocation& what, const json& session_then,
                         milliseconds allowed) {
  auto session = follow_session(
    what, session_then,
    [](const json& now) { return progress_of(now) != progress::under_way; },
    allowed);
  if (!session || progress_of(*session) != progress::failed)
    return session;
  auto name = text_at(*session, "id");
  error why{ec::saga_failed,
            name + " is " + shown(*session, "status") + ": "
              + shown(*session, "runtime.reason")};
  why.details.emplace_back("session", name);
  return fail(std::move(why));
}

} // namespace ao::cli
