#include "runtime/rules/outbox.hpp"

#include "runtime/rules/digest.hpp"
#include "runtime/rules/event_data.hpp"
#include "runtime/rules/incident_texts.hpp"
#include "runtime/rules/outbox_order.hpp"
#include "runtime/rules/send_form.hpp"

#include <algorithm>
#include <cctype>
#include <tuple>
#include <utility>

namespace ao {
namespace {

using outcome = send_outcome::kind;

/// From so many strikes on the rests are long.
constexpr std::uint32_t patient_strikes = 3;

/// More make no longer pauses.
constexpr std::uint32_t most_absences = 30;

constexpr std::string_view test_front = "test-";

/// Also where the configuration wants none.
constexpr milliseconds least_pause{100};

std::string subject_of(const notification& n) {
  if (n.subject.compare(0, 4, "inc-") == 0)
    return "incident:" + n.subject;
  return n.session.empty() ? "hub" : ao::subject_of(n.session);
}

std::string reason_of(const notification& n) {
  return std::string{to_string(n.failure)} + ": " + n.last_error;
}

/// The key under which a retry by hand is sent.
std::string key_again(const notification& n) {
  auto mark = n.key.rfind("-r");
  auto stem = n.key;
  if (mark != stem.npos
      && stem.find_first_not_of("0123456789", mark + 2) == stem.npos)
    stem.resize(mark);
  return stem + "-r" + std::to_string(n.version);
}

class outbox_machine {
public:
  outbox_machine(const outbox_state& state, const outbox_policy& policy,
                 wall_time now)
      : policy_(policy), now_(now) {
    out_.next = state;
  }

  outbox_step take(const outbox_input& input) {
    std::visit([this](const auto& x) { on(x); }, input);
    if (!out_.refused)
      choose();
    return std::move(out_);
  }

private:
  outbox_state& s() { return out_.next; }

  // -- inputs -----------------------------------------------------------------

  void on(const outbox_recovered& x) {
    outbox_state fresh;
    fresh.channel = s().channel;
    s() = std::move(fresh);
    const notification* last_success = nullptr;
    for (const auto& n : x.rows)
      if (n.state == notification_state::accepted
          || n.state == notification_state::delivered)
        if (!last_success || last_success->updated_at < n.updated_at)
          last_success = &n;
    if (last_success)
      s().learned = of_channel(last_success->form);
    for (const auto& n : x.rows) {
      s().digests = std::max(s().digests, digest_number(n));
      remember_alert(n, last_success);
      if (n.state == notification_state::pending)
        reopen(n);
    }
  }

  /// A reason of which a person was told before the restart.
  void remember_alert(const notification& n, const notification* success) {
    if (success && n.updated_at < success->updated_at)
      return;
    if (n.state == notification_state::dead
        || n.failure == send_failure::unusable)
      s().alerted.insert(reason_of(n));
  }

  void reopen(notification n) {
    if (n.failure == send_failure::unusable) {
      // The configuration may be another one by now: it is tried soon.
      s().strikes = patient_strikes;
      s().struck_at = std::max(s().struck_at, std::min(n.updated_at, now_));
      rest_until(s().struck_at + restless_rest);
      n.next_at.reset();
    } else if (n.next_at) {
      auto most = n.failure == send_failure::throttled
        ? milliseconds{longest_rest}
        : std::max(policy_.retry_max_delay, least_pause);
      // The clock may have been set while there was no hub.
      n.next_at = std::min(*n.next_at, now_ + most);
      if (n.failure == send_failure::throttled)
        pause_until(*n.next_at);
    }
    if (n.failure == send_failure::passing && n.attempts >= absent_from)
      s().absences = absent_from;
    s().since[n.id] = std::min(n.created_at, now_);
    s().open[n.id] = std::move(n);
  }

  void on(const notifications_seen& x) {
    for (const auto& n : x.rows)
      if (n.state == notification_state::pending && n.channel == s().channel)
        if (s().open.emplace(n.id, n).second)
          s().since[n.id] = std::min(n.created_at, now_);
  }

  void on(const notification_wanted& x) {
    auto n = x.row;
    n.version = 1;
    n.state = notification_state::pending;
    s().open[n.id] = n;
    out_.rows.push_back(std::move(n));
    rest_no_longer();
  }

  void on(const retry_wanted& x) {
    auto n = x.row;
    if (n.state == notification_state::pending)
      return hurry(n.id);
    if (n.state != notification_state::dead) {
      out_.refused = error{ec::wrong_state,
                           "notification " + n.id + " is "
                             + std::string{to_string(n.state)} + " already"};
      return;
    }
    if (is_digest(n)) {
      out_.refused = error{ec::wrong_state,
                           "the notifications of " + n.id
                             + " have been sent by themselves"};
      return;
    }
    // Those who have seen it refused know its key.
    n.key = key_again(n);
    n.version += 1;
    n.state = notification_state::pending;
    n.attempts = 0;
    n.failure = send_failure::none;
    n.last_error.clear();
    n.form.clear();
    n.next_at.reset();
    n.updated_at = now_;
    s().open[n.id] = n;
    out_.rows.push_back(std::move(n));
    rest_no_longer();
  }

  void hurry(const std::string& id) {
    auto at = s().open.find(id);
    if (at != s().open.end() && !at->second.digest.empty())
      at = s().open.find(at->second.digest);
    if (at != s().open.end()) {
      at->second.next_at.reset();
      s().hurried.insert(at->first);
    }
    if (s().absences >= absent_from)
      s().hold_until.reset();
    rest_no_longer();
  }

  void on(const outbox_due&) {}

  void on(const outbox_clock_set& x) {
    if (s().hold_until)
      *s().hold_until += x.by;
    if (s().paused_until)
      *s().paused_until += x.by;
    s().struck_at += x.by;
    for (auto& [id, since] : s().since)
      since += x.by;
    for (auto& [id, n] : s().open)
      if (n.next_at)
        *n.next_at += x.by;
  }

  void on(const send_ended& x) {
    auto at = s().open.find(x.id);
    if (s().sending.erase(x.id) == 0 || at == s().open.end()) {
      out_.dropped = "nothing is under way called " + x.id;
      return;
    }
    auto n = std::move(at->second);
    s().open.erase(at);
    s().hurried.erase(n.id);
    s().since.erase(n.id);
    n.version += 1;
    n.attempts += 1;
    n.updated_at = now_;
    n.last_error = x.what.error;
    n.next_at.reset();
    if (!x.what.remote.empty())
      n.remote = x.what.remote;
    auto reshaped = n.form != x.what.form;
    n.form = x.what.form;
    switch (x.what.what) {
    case outcome::accepted:
      return succeed(std::move(n), notification_state::accepted);
    case outcome::delivered:
      return succeed(std::move(n), notification_state::delivered);
    case outcome::reshape:
      if (reshaped) {
        n.failure = send_failure::passing;
        return keep(std::move(n));
      }
      return fail_for_now(std::move(n), x);
    case outcome::passing:
      return fail_for_now(std::move(n), x);
    case outcome::throttled:
      return throttle(std::move(n), x);
    case outcome::unusable:
      return strike(std::move(n));
    case outcome::refused:
      return die(std::move(n));
    }
  }

  // -- outcomes ---------------------------------------------------------------

  void succeed(notification n, notification_state state) {
    n.state = state;
    n.failure = send_failure::none;
    s().learned = of_channel(n.form);
    s().strikes = 0;
    s().returned = s().returned || s().absences >= absent_from;
    s().absences = 0;
    s().hold_until.reset();
    s().alerted.clear();
    auto kind = state == notification_state::delivered
      ? event_kind::notification_delivered
      : event_kind::notification_accepted;
    record(kind, n, false);
    for (auto& told : members_of(n)) {
      told.state = state;
      told.remote = n.remote;
      told.attempts = 1;
      record(kind, told, false);
      out_.rows.push_back(std::move(told));
    }
    out_.rows.push_back(std::move(n));
  }

  /// Takes out those that the digest tells, as rows to be written.
  std::vector<notification> members_of(const notification& n) {
    std::vector<notification> out;
    if (!is_digest(n))
      return out;
    for (auto i = s().open.begin(); i != s().open.end();) {
      if (i->second.digest != n.id) {
        ++i;
        continue;
      }
      s().since.erase(i->first);
      out.push_back(std::move(i->second));
      out.back().version += 1;
      out.back().updated_at = now_;
      i = s().open.erase(i);
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
      return std::tie(a.subject, a.number) < std::tie(b.subject, b.number);
    });
    return out;
  }

  milliseconds pause_after(const notification& n, const send_ended& x) const {
    auto pause = retry_pause(policy_, n.attempts, x.dice);
    auto asked = x.what.retry_after.value_or(milliseconds{0});
    return std::max(pause, std::min<milliseconds>(asked, longest_rest));
  }

  void fail_for_now(notification n, const send_ended& x) {
    n.failure = send_failure::passing;
    n.next_at = now_ + pause_after(n, x);
    if (x.what.absent)
      s().absences = std::min(s().absences + 1, most_absences);
    if (s().absences >= absent_from)
      rest_until(now_ + retry_pause(policy_, s().absences, x.dice));
    keep(std::move(n));
  }

  void throttle(notification n, const send_ended& x) {
    n.failure = send_failure::throttled;
    n.next_at = now_ + pause_after(n, x);
    pause_until(*n.next_at);
    keep(std::move(n));
  }

  void strike(notification n) {
    n.failure = send_failure::unusable;
    s().strikes = std::min(s().strikes + 1, patient_strikes);
    s().struck_at = now_;
    n.next_at = now_
      + (s().strikes < patient_strikes ? milliseconds{first_rest}
                                       : milliseconds{long_rest});
    rest_until(*n.next_at);
    if (alert(n))
      record(event_kind::notification_failed, n, true);
    keep(std::move(n));
  }

  void die(notification n) {
    n.state = notification_state::dead;
    n.failure = send_failure::refused;
    record(event_kind::notification_failed, n, alert(n));
    for (auto& told : members_of(n)) {
      told.digest.clear();
      // Never in a digest again.
      told.attempts = 1;
      keep(std::move(told));
    }
    out_.rows.push_back(std::move(n));
  }

  void keep(notification n) {
    out_.rows.push_back(n);
    s().open[n.id] = std::move(n);
  }

  /// True for a reason that nobody was told of yet.
  bool alert(const notification& n) {
    if (!s().alerted.insert(reason_of(n)).second)
      return false;
    out_.alerts.push_back(n.last_error);
    return true;
  }

  void record(event_kind kind, const notification& n, bool alerts) {
    event_data data;
    data.with("project", n.project)
      .with("session", n.session)
      .with("notification", n.id)
      .with("channel", n.channel)
      .with("case", n.subject)
      .with("state", std::string{to_string(n.state)})
      .with("remote", n.remote)
      .with("error", n.last_error)
      .with_value("attempts", n.attempts);
    if (kind == event_kind::notification_failed)
      data.with_value("alert", alerts);
    out_.events.push_back(
      make_event(kind, now_, subject_of(n), "outbox/" + s().channel, 0, data));
  }

  // -- what is sent -----------------------------------------------------------

  void rest_until(wall_time t) {
    s().hold_until = s().hold_until ? std::max(*s().hold_until, t) : t;
  }

  void pause_until(wall_time t) {
    s().paused_until = std::max(s().paused_until.value_or(t), t);
  }

  /// A person is at work on the channel: the next attempt comes soon, but not
  /// sooner than what is allowed at a wrong token.
  void rest_no_longer() {
    if (s().strikes == 0 || !s().hold_until)
      return;
    auto rest = s().strikes < patient_strikes ? milliseconds{first_rest}
                                              : milliseconds{restless_rest};
    s().hold_until = std::min(*s().hold_until, s().struck_at + rest);
    for (auto& [id, n] : s().open)
      if (n.failure == send_failure::unusable)
        n.next_at.reset();
  }

  void choose() {
    if (std::max(s().hold_until, s().paused_until) > now_)
      return;
    collect();
    for (auto& n : next_to_send(s(), policy_, now_))
      send(std::move(n));
  }

  void collect() {
    auto waited = next_to_collect(s(), policy_, now_);
    s().returned = false;
    if (waited.empty())
      return;
    auto made
      = make_digest(s().channel, ++s().digests, std::move(waited), now_);
    for (auto& n : made.parts)
      keep(std::move(n));
    for (auto& n : made.members)
      keep(std::move(n));
  }

  void send(notification n) {
    // The bytes of an attempt are those of the one before.
    if (n.attempts == 0 && n.form.empty() && !is_test(n))
      n.form = s().learned;
    if (!was_tried(n))
      begin(n);
    s().sending.insert(n.id);
    s().open[n.id] = n;
    out_.sends.push_back(std::move(n));
  }

  /// It is on record before the first byte leaves: nobody tells it in other
  /// words from now on, whatever becomes of us.
  void begin(notification& n) {
    n.form = with_word(n.form, form::begun);
    for (auto& row : out_.rows)
      if (row.id == n.id) {
        row = n;
        return;
      }
    n.version += 1;
    out_.rows.push_back(n);
  }

  const outbox_policy& policy_;
  wall_time now_;
  outbox_step out_;
};

std::string in_capitals(std::string_view word) {
  std::string out{word};
  for (auto& c : out)
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

} // namespace

outbox_step next_outbox(const outbox_state& state, const outbox_input& input,
                        const outbox_policy& policy, wall_time now) {
  return outbox_machine{state, policy, now}.take(input);
}

milliseconds retry_pause(const outbox_policy& policy, std::uint32_t attempt,
                         double dice) {
  auto pause = std::max(policy.retry_delay, least_pause);
  auto most = std::max(policy.retry_max_delay, least_pause);
  for (std::uint32_t n = 1; n < attempt && pause < most; ++n)
    pause *= 2;
  pause = std::min(pause, most);
  auto less = static_cast<double>(pause.count()) * policy.jitter * dice;
  return pause - milliseconds{static_cast<milliseconds::rep>(less)};
}

bool is_test(const notification& n) {
  return n.subject.compare(0, test_front.size(), test_front) == 0;
}

std::string test_case(std::uint64_t n) {
  return std::string{test_front} + std::to_string(n);
}

notification test_notification(const std::string& channel, std::uint64_t number,
                               priority p, const std::string& text,
                               wall_time now) {
  notification n;
  n.version = 1;
  n.channel = channel;
  n.subject = test_case(number);
  n.number = 1;
  n.id = channel + "/" + n.subject + "/1";
  n.priority = p;
  n.kind = "test";
  n.text = "[AO " + in_capitals(to_string(p)) + "] ao test\nCase " + n.subject
    + "\n" + text + "\n";
  // Another home's first test is another one.
  n.key = notification_key(n.subject, n.number,
                           channel + "\n" + format_time(now) + "\n" + n.text);
  n.created_at = now;
  n.updated_at = now;
  return n;
}

} // namespace ao
