#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "cli/commands/spawning.hpp"

namespace ao::cli {
namespace {

using nlohmann::json;

constexpr std::size_t sha_shown = 12;

/// `app-3 stands at 0123456789ab in /…`, or what it waits for.
std::string checkout_of(const json& session, const json& change) {
  auto id = shown(session, "id");
  auto place = text_at(session, "workspacePath");
  if (place.empty()) {
    auto reason = text_at(session, "runtime.reason");
    return id + " is " + shown(session, "status")
      + (reason.empty() ? "" : ": " + reason);
  }
  return id + " stands at " + text_at(change, "headSha").substr(0, sha_shown)
    + " in " + place;
}

} // namespace

result<json> take_over(invocation& what, const std::string& change, json body,
                       bool wait, milliseconds allowed) {
  put_place(what, body);
  auto id = request_id_of(what);
  body["requestId"] = id;
  auto api = what.api();
  auto answer = api.call("POST", item_path("changes", change, "claim"), body,
                         idempotency(id));
  if (!answer)
    return fail(answer.error());
  auto& said = answer->body;
  if (wait && !said.value("already", false)) {
    auto session = await_start(what, said.at("session"), allowed);
    if (!session)
      return fail(session.error());
    said["session"] = std::move(*session);
    auto now
      = api.call("GET", item_path("changes", text_at(said, "change.id")));
    if (!now)
      return fail(now.error());
    said["change"] = std::move(now->body);
  }
  return std::move(said);
}

void print_takeover(output& out, const json& answer) {
  const auto& change = answer.at("change");
  const auto& session = answer.at("session");
  auto say = [&out](const char* name, const std::string& text) {
    constexpr std::size_t width = 16;
    out.line(padded(name, width) + text);
  };
  say("PR:", shown(change, "id") + " (" + shown(change, "title") + ")");
  say("Branch:", shown(change, "branch"));
  if (answer.value("already", false)) {
    out.line(shown(session, "id") + " works on it already");
    return;
  }
  say("Checkout:", checkout_of(session, change));
  say("Took over from:", shown(answer, "tookOverFrom"));
  if (auto gave_up = text_at(answer, "gaveUp"); !gave_up.empty())
    say("Its task:",
        "parked with " + gave_up + "; `ao session restore " + gave_up
          + "` goes on with it");
}

outcome run_session_claim_pr(invocation& what) {
  auto session = session_meant(what);
  if (!session)
    return fail(session.error());
  auto allowed = what.args.duration("timeout", milliseconds{600'000});
  if (!allowed)
    return fail(allowed.error());
  json body = {{"session", *session}};
  if (what.args.flag("assign-on-github"))
    body["assign"] = true;
  auto answer = take_over(what, what.args.text("change"), std::move(body),
                          !what.args.flag("no-wait"), *allowed);
  if (!answer)
    return fail(answer.error());
  what.out.document(*answer);
  print_takeover(what.out, *answer);
  what.out.result_line("SESSION", text_at(*answer, "session.id"));
  return 0;
}

} // namespace ao::cli
