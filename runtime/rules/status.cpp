#include "runtime/rules/status.hpp"

#include "runtime/rules/sessions.hpp"

namespace ao {
namespace {

struct status_word {
  shown_status status;
  std::string_view word;
};

constexpr status_word words[] = {
  {shown_status::spawning, "spawning"},
  {shown_status::working, "working"},
  {shown_status::idle, "idle"},
  {shown_status::needs_input, "needs_input"},
  {shown_status::stuck, "stuck"},
  {shown_status::pr_open, "pr_open"},
  {shown_status::ci_failed, "ci_failed"},
  {shown_status::review_pending, "review_pending"},
  {shown_status::changes_requested, "changes_requested"},
  {shown_status::approved, "approved"},
  {shown_status::mergeable, "mergeable"},
  {shown_status::merged, "merged"},
  {shown_status::done, "done"},
  {shown_status::killed, "killed"},
  {shown_status::errored, "errored"},
  {shown_status::queued, "queued"},
  {shown_status::restarting, "restarting"},
  {shown_status::rate_limited, "rate_limited"},
  {shown_status::auth_blocked, "auth_blocked"},
  {shown_status::lost, "lost"},
  {shown_status::parked, "parked"},
};

shown_status status_of(const change& c) {
  if (c.ci == ci_state::failed)
    return shown_status::ci_failed;
  if (c.review == review_state::changes_requested)
    return shown_status::changes_requested;
  auto mergeable = is_green(c) && c.merge != merge_state::conflict;
  if (c.review == review_state::approved)
    return mergeable ? shown_status::mergeable : shown_status::approved;
  if (c.review == review_state::pending)
    return shown_status::review_pending;
  return mergeable ? shown_status::mergeable : shown_status::pr_open;
}

/// The first line, for a table.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::string or_else(const std::string& text, const char* other) {
  return text.empty() ? std::string{other} : first_line(text);
}

std::string summary_of(const change& c) {
  auto text = c.id.text + " ";
  if (c.merge == merge_state::conflict)
    return text + or_else(c.merge_reason, "is in conflict");
  if (c.merge == merge_state::merging)
    return text + "is being merged";
  if (c.merge == merge_state::queued)
    return text + "waits to be merged";
  switch (c.ci) {
  case ci_state::pending:
    return text + "waits for CI";
  case ci_state::running:
    return text + "is in CI";
  case ci_state::failed:
    return text + "failed CI on " + c.head_sha.substr(0, 12);
  default:
    break;
  }
  if (c.review == review_state::changes_requested)
    return text + "is to be changed, says its review";
  if (c.review == review_state::pending)
    return text + "waits for a review"
      + (c.review_reason.empty() ? "" : ": " + first_line(c.review_reason));
  if (!c.ready_sha.empty() && c.ready_sha == c.head_sha)
    return text + "waits for: ao pr merge " + c.id.text;
  return text + "is open";
}

/// What a reviewer is at.
std::string summary_of_review(const session& s) {
  return "reviews " + s.change.text + " at " + s.head.substr(0, 12)
    + (s.run > 1 ? ", run " + std::to_string(s.run) : "");
}

/// Until when, where that is known.
std::string limit_text(const session& s) {
  auto end = s.runtime == runtime_state::exited && s.exit ? s.exit->until
                                                          : s.turn_until;
  return "waits for a limit of " + s.agent
    + (end ? " until " + format_time(*end) : " to pass");
}

} // namespace

std::string_view to_string(shown_status s) {
  for (const auto& w : words)
    if (w.status == s)
      return w.word;
  return "invalid";
}

const std::vector<shown_status>& all_shown_statuses() {
  static const auto all = [] {
    std::vector<shown_status> list;
    for (const auto& w : words)
      list.push_back(w.status);
    return list;
  }();
  return all;
}

bool is_terminal(shown_status s) {
  return s == shown_status::killed || s == shown_status::done
    || s == shown_status::merged || s == shown_status::errored;
}

shown_status status_of(const session& s, const change* c,
                       const status_facts& facts) {
  switch (s.end) {
  case session_end::merged:
    return shown_status::merged;
  case session_end::done:
    return shown_status::done;
  case session_end::killed:
    return shown_status::killed;
  case session_end::errored:
    return shown_status::errored;
  case session_end::open:
    break;
  }
  if (s.runtime == runtime_state::parked)
    return shown_status::parked;
  if (s.runtime == runtime_state::lost)
    return shown_status::lost;
  if (s.runtime == runtime_state::queued && s.run > 0 && !facts.auth_blocked)
    return shown_status::restarting;
  if (s.runtime == runtime_state::queued)
    return facts.auth_blocked ? shown_status::auth_blocked
                              : shown_status::queued;
  if (s.runtime == runtime_state::provisioning)
    return shown_status::spawning;
  if (s.runtime == runtime_state::starting)
    return shown_status::restarting;
  auto exited = s.runtime == runtime_state::exited;
  const auto* failure = exited && s.exit ? &s.exit->failure
    : s.runtime == runtime_state::alive  ? &s.turn_failure
                                         : nullptr;
  if (facts.auth_blocked || (failure != nullptr && *failure == "auth"))
    return shown_status::auth_blocked;
  if (facts.rate_limited || (failure != nullptr && *failure == "rate_limited"))
    return shown_status::rate_limited;
  if (!s.needs_input.empty() || s.activity == activity_state::waiting_input)
    return shown_status::needs_input;
  if (awaits_restart(s))
    return shown_status::restarting;
  if (facts.stuck)
    return shown_status::stuck;
  // A judge's change is another's work.
  if (is_judge(s.role))
    c = nullptr;
  if (c != nullptr && c->state == change_state::open)
    return status_of(*c);
  if (c != nullptr && c->state == change_state::merged)
    return shown_status::merged;
  auto rests = exited || s.activity == activity_state::idle
    || s.activity == activity_state::ready;
  return rests ? shown_status::idle : shown_status::working;
}

std::string summary_of(const session& s, const change* c,
                       const status_facts& facts) {
  switch (status_of(s, c, facts)) {
  case shown_status::merged:
  case shown_status::done:
  case shown_status::killed:
  case shown_status::errored:
    return first_line(s.end_reason);
  case shown_status::needs_input:
    return or_else(s.needs_input, "waits for input");
  case shown_status::auth_blocked:
    return s.agent + " is not logged in";
  case shown_status::rate_limited:
    return limit_text(s);
  case shown_status::stuck:
    return "does not get on";
  case shown_status::spawning:
  case shown_status::restarting:
    return or_else(s.reason, "starts");
  case shown_status::queued:
  case shown_status::lost:
  case shown_status::parked:
    return first_line(s.reason);
  case shown_status::working:
    if (s.role == session_role::reviewer)
      return summary_of_review(s);
    return s.run > 1 ? "works, run " + std::to_string(s.run) : "works";
  case shown_status::idle:
    return s.runtime == runtime_state::exited ? "turn completed" : "idle";
  default:
    return c != nullptr ? summary_of(*c) : std::string{};
  }
}

} // namespace ao
