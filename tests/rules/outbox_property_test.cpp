// One channel against a gateway that fails wherever it can and a hub that is
// killed wherever it can. What counts is what the gateway saw.

#include "runtime/rules/outbox.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>
#include <map>
#include <set>

using namespace ao;
using namespace std::chrono_literals;

namespace {

using outcome = send_outcome::kind;

bool is_open(notification_state s) {
  return s == notification_state::pending;
}

notification row(int subject, std::uint64_t number, wall_time now) {
  notification n;
  n.version = 1;
  n.channel = "gate";
  n.subject = "inc-" + std::to_string(subject);
  n.number = number;
  n.id = "gate/" + n.subject + "/" + std::to_string(number);
  n.key = "key-of-" + n.id;
  n.created_at = now;
  n.updated_at = now;
  return n;
}

struct channel_world {
  outbox_policy policy;
  outbox_state state;
  wall_time now{milliseconds{1'000'000}};
  std::map<std::string, notification> disk;
  std::map<std::string, notification> under_way;
  /// Numbers of each case in the order in which they were settled.
  std::map<std::string, std::vector<std::uint64_t>> settled;
  std::deque<wall_time> strikes;
  std::size_t events = 0;

  channel_world() { state.channel = "gate"; }

  /// @param survives Whether the hub lives until the commit.
  void feed(const outbox_input& input, bool survives = true) {
    auto step = next_outbox(state, input, policy, now);
    if (!survives)
      return restart();
    for (const auto& n : step.rows) {
      auto was = disk.find(n.id);
      RC_ASSERT(n.version == (was == disk.end() ? 1 : was->second.version + 1));
      if (was != disk.end() && !is_open(n.state)) {
        RC_ASSERT(is_open(was->second.state));
        settled[n.subject].push_back(n.number);
        // Each end is an event.
        RC_ASSERT(!step.events.empty());
      }
      disk[n.id] = n;
    }
    state = step.next;
    for (const auto& n : step.sends) {
      // What is sent is what the row says, and once at a time.
      RC_ASSERT(is_open(disk.at(n.id).state));
      RC_ASSERT(under_way.emplace(n.id, n).second);
      for (const auto& [id, other] : disk)
        if (other.subject == n.subject && other.number < n.number)
          RC_ASSERT(!is_open(other.state));
      RC_ASSERT(!state.hold_until || *state.hold_until <= now);
      RC_ASSERT(!state.paused_until || *state.paused_until <= now);
    }
    RC_ASSERT(under_way.size() <= policy.parallel);
    std::set<std::string> ids;
    for (const auto& [id, n] : under_way)
      ids.insert(id);
    RC_ASSERT(ids == state.sending);
    for (const auto& [id, n] : state.open)
      RC_ASSERT(is_open(n.state));
    // Nothing is forgotten: something is under way or a moment is named.
    RC_ASSERT(state.open.empty() || !under_way.empty()
              || next_look(state, policy, now));
    // No moment is named that would change nothing.
    if (auto next = next_look(state, policy, now))
      RC_ASSERT(*next > now);
  }

  void restart() {
    under_way.clear();
    state = {};
    state.channel = "gate";
    std::vector<notification> rows;
    for (const auto& [id, n] : disk)
      rows.push_back(n);
    feed(outbox_recovered{rows});
  }

  void answer(const std::string& id, outcome what, bool survives) {
    send_outcome o;
    o.what = what;
    o.form = under_way.at(id).form;
    o.error = "HTTP " + std::to_string(static_cast<int>(what));
    if (what == outcome::throttled)
      o.retry_after = 30s;
    if (what == outcome::reshape)
      o.form += " more";
    under_way.erase(id);
    if (what == outcome::unusable)
      strikes.push_back(now);
    feed(send_ended{id, o, 0.5}, survives);
  }
};

} // namespace

RC_GTEST_PROP(OutboxProperty, LosesNothingAndKeepsTheOrder, ()) {
  channel_world w;
  std::map<int, std::uint64_t> numbers;
  auto steps = *rc::gen::inRange(1, 120);
  for (int n = 0; n < steps; ++n) {
    switch (*rc::gen::inRange(0, 8)) {
    case 0:
    case 1: {
      auto subject = *rc::gen::inRange(1, 5);
      auto fresh = row(subject, ++numbers[subject], w.now);
      w.disk[fresh.id] = fresh;
      w.feed(notifications_seen{{fresh}});
      break;
    }
    case 2:
    case 3:
    case 4:
      if (!w.under_way.empty()) {
        auto at = w.under_way.begin();
        std::advance(
          at, *rc::gen::inRange<int>(0, static_cast<int>(w.under_way.size())));
        w.answer(std::string{at->first},
                 static_cast<outcome>(*rc::gen::inRange(0, 7)),
                 *rc::gen::weightedElement<bool>({{9, true}, {1, false}}));
      }
      break;
    case 5:
      if (auto next = next_look(w.state, w.policy, w.now)) {
        w.now = std::max(w.now, *next);
        w.feed(outbox_due{});
      }
      break;
    case 6:
      w.restart();
      break;
    case 7: {
      milliseconds by{*rc::gen::inRange(-100'000, 100'000)};
      w.now += by;
      for (auto& t : w.strikes)
        t += by;
      w.feed(outbox_clock_set{by});
      break;
    }
    }
  }
  // From now on the gateway takes everything.
  for (int n = 0; n < 10'000 && !w.state.open.empty(); ++n) {
    if (w.under_way.empty()) {
      auto next = next_look(w.state, w.policy, w.now);
      RC_ASSERT(next.has_value());
      w.now = std::max(w.now, *next);
      w.feed(outbox_due{});
    } else {
      w.answer(std::string{w.under_way.begin()->first}, outcome::accepted,
               true);
    }
  }
  for (const auto& [id, n] : w.disk)
    RC_ASSERT(!is_open(n.state));
  for (const auto& [subject, order] : w.settled)
    RC_ASSERT(std::is_sorted(order.begin(), order.end()));
}

RC_GTEST_PROP(OutboxProperty, NeverTriesAWrongTokenMoreThanThriceAMinute, ()) {
  channel_world w;
  for (int n = 1; n <= 6; ++n)
    w.disk["gate/inc-" + std::to_string(n) + "/1"] = row(n, 1, w.now);
  w.restart();
  auto steps = *rc::gen::inRange(1, 60);
  for (int n = 0; n < steps; ++n) {
    if (!w.under_way.empty())
      w.answer(std::string{w.under_way.begin()->first}, outcome::unusable,
               true);
    switch (*rc::gen::inRange(0, 4)) {
    case 0:
      // Only what the gateway has answered counts here.
      if (w.under_way.empty())
        w.restart();
      break;
    case 1:
      w.feed(notification_wanted{
        test_notification("gate", static_cast<std::uint64_t>(n) + 1,
                          priority::info, "x", w.now)});
      break;
    default:
      w.now += milliseconds{*rc::gen::inRange(1, 40'000)};
      w.feed(outbox_due{});
    }
  }
  for (std::size_t i = 3; i < w.strikes.size(); ++i)
    RC_ASSERT(w.strikes[i] - w.strikes[i - 3] >= 1min);
}
