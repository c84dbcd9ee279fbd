#include "runtime/rules/outbox_order.hpp"

#include "runtime/rules/digest.hpp"
#include "runtime/rules/quiet_hours.hpp"
#include "runtime/rules/send_form.hpp"

#include <algorithm>
#include <tuple>

namespace ao {
namespace {

/// In an absence at most so many different ones are tried.
constexpr std::size_t most_tried = 5;

/// What has piled up in an absence is a digest from so many on.
constexpr std::size_t pile = 3;

bool earlier(const notification& a, const notification& b) {
  return std::tie(a.priority, a.created_at, a.number, a.id)
    < std::tie(b.priority, b.created_at, b.number, b.id);
}

/// Whether it may be told by a digest.
bool may_be_collected(const outbox_state& s, const notification& n) {
  return !was_tried(n) && n.digest.empty() && !is_test(n) && !is_digest(n)
    && s.sending.count(n.id) == 0 && s.hurried.count(n.id) == 0;
}

/// When the oldest of those was written that are collected.
std::optional<wall_time> collected_since(const outbox_state& s) {
  std::optional<wall_time> out;
  for (const auto& [id, n] : s.open)
    if (may_be_collected(s, n) && n.priority != priority::urgent) {
      auto known = s.since.find(id);
      auto since = known == s.since.end() ? n.created_at : known->second;
      out = out ? std::min(*out, since) : since;
    }
  return out;
}

bool in_quiet_hours(const outbox_policy& policy, wall_time t) {
  return policy.quiet_hours
    && is_quiet(*policy.quiet_hours, t, policy.utc_offset);
}

/// Until when the row waits for others, or for the end of the quiet hours;
/// nothing when it does not.
std::optional<wall_time> held_until(const outbox_state& s,
                                    const outbox_policy& policy,
                                    const notification& n, wall_time now) {
  if (n.priority == priority::urgent || is_test(n) || s.hurried.count(n.id) > 0)
    return std::nullopt;
  if (in_quiet_hours(policy, now))
    return quiet_until(*policy.quiet_hours, now, policy.utc_offset);
  if (policy.digest.count() == 0 || !may_be_collected(s, n))
    return std::nullopt;
  auto ripe = collected_since(s).value_or(n.created_at) + policy.digest;
  return ripe > now ? std::optional{ripe} : std::nullopt;
}

/// The first of each case, by case.
std::map<std::string, const notification*> heads_of(const outbox_state& s) {
  std::map<std::string, const notification*> out;
  for (const auto& [id, n] : s.open) {
    auto& head = out[n.subject];
    if (head == nullptr || n.number < head->number)
      head = &n;
  }
  return out;
}

/// Those that are open as they were written; of each case in the order of its
/// numbers, also when the clock was set back in between.
std::vector<notification> in_order(const outbox_state& s) {
  using place = std::tuple<std::string, std::uint64_t>;
  std::map<place, const notification*> by_case;
  for (const auto& [id, n] : s.open)
    by_case[{n.subject, n.number}] = &n;
  std::map<std::tuple<wall_time, std::string, std::uint64_t>,
           const notification*>
    by_time;
  const notification* before = nullptr;
  wall_time latest{};
  for (const auto& [at, n] : by_case) {
    auto same = before != nullptr && before->subject == n->subject;
    latest = same ? std::max(latest, n->created_at) : n->created_at;
    by_time[{latest, n->subject, n->number}] = n;
    before = n;
  }
  std::vector<notification> out;
  for (const auto& [at, n] : by_time)
    out.push_back(*n);
  return out;
}

/// How many attempts may be under way: one shows whether a channel works that
/// did not.
std::size_t room_in(const outbox_state& s, const outbox_policy& policy) {
  auto doubtful = s.strikes > 0 || s.absences >= absent_from;
  auto most = doubtful ? std::size_t{1} : policy.parallel;
  return most - std::min(most, s.sending.size());
}

/// Nobody else of its case, no person and no clock keep it from being sent.
bool is_ready(const outbox_state& s, const outbox_policy& policy,
              const notification& n, wall_time now) {
  return n.digest.empty() && s.sending.count(n.id) == 0
    && (!n.next_at || *n.next_at <= now) && !held_until(s, policy, n, now);
}

/// In an absence few are tried in turns, so that the others can be told as
/// one.
void prefer_tried(const outbox_state& s, std::vector<notification>& ready) {
  std::size_t tried = 0;
  for (const auto& [id, n] : s.open)
    tried += was_tried(n) ? 1 : 0;
  if (tried < most_tried)
    return;
  std::stable_sort(ready.begin(), ready.end(),
                   [](const notification& a, const notification& b) {
                     return std::make_tuple(!was_tried(a), a.attempts)
                       < std::make_tuple(!was_tried(b), b.attempts);
                   });
}

/// Whether it would be sent now, and others have waited with it.
bool has_waited(const outbox_state& s, const outbox_policy& policy,
                const notification& n, wall_time now) {
  if (held_until(s, policy, n, now))
    return false;
  if (s.returned)
    return true;
  return n.priority != priority::urgent
    && (policy.digest.count() > 0 || in_quiet_hours(policy, n.created_at));
}

} // namespace

bool was_tried(const notification& n) {
  return n.attempts > 0 || has_word(n.form, form::begun);
}

std::vector<notification> next_to_send(const outbox_state& s,
                                       const outbox_policy& policy,
                                       wall_time now) {
  std::vector<notification> out;
  for (const auto& [subject, n] : heads_of(s))
    if (is_ready(s, policy, *n, now))
      out.push_back(*n);
  std::sort(out.begin(), out.end(), earlier);
  if (s.absences >= absent_from)
    prefer_tried(s, out);
  out.resize(std::min(out.size(), room_in(s, policy)));
  return out;
}

std::vector<notification> next_to_collect(const outbox_state& s,
                                          const outbox_policy& policy,
                                          wall_time now) {
  std::vector<notification> out;
  // Of each case only what nothing of it comes before that goes by itself.
  std::set<std::string> closed;
  for (const auto& n : in_order(s)) {
    if (closed.count(n.subject) == 0 && may_be_collected(s, n)
        && has_waited(s, policy, n, now))
      out.push_back(n);
    else
      closed.insert(n.subject);
  }
  if (out.size() < (s.returned ? pile : std::size_t{2}))
    out.clear();
  return out;
}

std::optional<wall_time> next_look(const outbox_state& state,
                                   const outbox_policy& policy, wall_time now) {
  if (room_in(state, policy) == 0)
    return std::nullopt;
  std::optional<wall_time> out;
  for (const auto& [subject, n] : heads_of(state)) {
    if (state.sending.count(n->id) > 0 || !n->digest.empty())
      continue;
    auto at = n->next_at.value_or(now);
    if (auto held = held_until(state, policy, *n, now))
      at = std::max(at, *held);
    for (const auto& rest : {state.hold_until, state.paused_until})
      if (rest)
        at = std::max(at, *rest);
    if (!out || at < *out)
      out = at;
  }
  return out;
}

} // namespace ao
