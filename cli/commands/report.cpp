#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"

#include <cstdlib>

namespace ao::cli {
namespace {

using nlohmann::json;

struct report_word {
  std::string_view alias;
  std::string_view state;
};

/// The original's words and their short forms.
constexpr report_word words[] = {
  {"started", "started"},
  {"start", "started"},
  {"working", "working"},
  {"work", "working"},
  {"waiting", "waiting"},
  {"wait", "waiting"},
  {"needs_input", "needs_input"},
  {"needs-input", "needs_input"},
  {"input", "needs_input"},
  {"fixing_ci", "fixing_ci"},
  {"fixing-ci", "fixing_ci"},
  {"ci", "fixing_ci"},
  {"addressing_reviews", "addressing_reviews"},
  {"addressing-reviews", "addressing_reviews"},
  {"reviews", "addressing_reviews"},
  {"pr_created", "pr_created"},
  {"draft_pr_created", "draft_pr_created"},
  {"ready_for_review", "ready_for_review"},
  {"completed", "completed"},
  {"complete", "completed"},
};

result<std::string> state_of(const std::string& word) {
  std::string known;
  for (const auto& one : words) {
    if (one.alias == word)
      return std::string{one.state};
    if (one.alias == one.state)
      known += " " + std::string{one.state};
  }
  return fail(ec::bad_input,
              "\"" + word
                + "\" is not a report, expected one "
                  "of"
                + known);
}

outcome send_report(invocation& what, const std::string& state,
                    const char* source) {
  auto session = session_meant(what);
  if (!session)
    return fail(session.error());
  auto number = what.args.number("pr-number", 0);
  if (!number)
    return fail(number.error());
  json body = {{"state", state}, {"source", source}};
  if (auto note = what.args.maybe("note"))
    body["note"] = *note;
  if (auto url = what.args.maybe("pr-url"))
    body["prUrl"] = *url;
  if (what.args.has("pr-number"))
    body["prNumber"] = *number;
  auto answer
    = what.api().call("POST", item_path("sessions", *session, "reports"), body,
                      idempotency(make_ulid()));
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  what.out.line("✓ " + *session + " reported " + state);
  return 0;
}

} // namespace

outcome run_report(invocation& what) {
  auto state = state_of(what.args.text("state"));
  if (!state)
    return fail(state.error());
  return send_report(what, *state, "report");
}

outcome run_acknowledge(invocation& what) {
  return send_report(what, "started", "acknowledge");
}

} // namespace ao::cli
