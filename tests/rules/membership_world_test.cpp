#include "tests/rules/membership_world.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <functional>
#include <vector>

using namespace ao;
using namespace ao::membership_world;
using namespace std::chrono_literals;

namespace {

/// An action and the pause after it.
using step = std::pair<action, milliseconds>;
using script = std::vector<step>;

constexpr milliseconds usual_stop{8'000};
const cluster_times times{};

rc::Gen<script> any_script() {
  auto what
    = rc::gen::tuple(rc::gen::inRange(0, kinds_of_action),
                     rc::gen::inRange(0, nodes), rc::gen::inRange(0, 100));
  auto pause
    = rc::gen::element(milliseconds{0}, milliseconds{300}, milliseconds{1'000},
                       milliseconds{2'500}, milliseconds{4'000},
                       milliseconds{9'000}, milliseconds{12'000});
  return rc::gen::container<script>(rc::gen::pair(what, pause));
}

findings play(const script& all, const rule& with = {},
              milliseconds stop_after = usual_stop) {
  world w{with, stop_after, 7};
  for (const auto& [what, pause] : all)
    w.act(what, pause);
  w.settle();
  return w.seen();
}

/// Whether scripts of the very property below find what is wrong with a rule.
bool found(const rule& with, const std::function<bool(const findings&)>& wrong,
           milliseconds stop_after = usual_stop) {
  constexpr std::uint64_t most_scripts = 2'000;
  auto scripts = any_script();
  for (std::uint64_t seed = 0; seed < most_scripts; ++seed)
    if (wrong(play(scripts(rc::Random{seed}, rc::kNominalSize).value(), with,
                   stop_after)))
      return true;
  return false;
}

} // namespace

RC_GTEST_PROP(MembershipWorld, WhateverHappensNobodyWorksOnWhatIsAnothers, ()) {
  auto stop_after = milliseconds{*rc::gen::element(2'000, 5'000, 8'000, 8'900)};
  RC_PRE(!fencing_problem(stop_after, times.lease));
  auto seen = play(*any_script(), {}, stop_after);
  RC_ASSERT(!seen.two_work);
  RC_ASSERT(!seen.epoch_reused);
  RC_ASSERT(!seen.stale_push);
  RC_ASSERT(!seen.stale_renewal);
  RC_ASSERT(!seen.false_loss);
  RC_ASSERT(!seen.unsettled);
}

RC_GTEST_PROP(MembershipWorld, NobodyIsLostByPausesBelowTheLimit, ()) {
  world w{{}, usual_stop, 7};
  // A beat may just have been missed, the next one takes its time, and a dial
  // that was lost is given up after two heartbeats.
  auto longest
    = std::min(times.lost_after, usual_stop) - 4 * times.heartbeat - 4 * tick;
  // A greeting that is lost for good is not said again as soon as TCP would,
  // so either the network fails here or the hub.
  auto kinds = *rc::gen::arbitrary<bool>() ? std::vector<int>{0, 1, 2, 6}
                                           : std::vector<int>{6, 10};
  auto pauses = *rc::gen::container<std::vector<std::pair<int, int>>>(
    rc::gen::pair(rc::gen::elementOf(kinds), rc::gen::inRange(0, nodes)));
  for (auto [kind, which] : pauses) {
    w.act(
      {kind, which, 0},
      milliseconds{*rc::gen::inRange<milliseconds::rep>(0, longest.count())});
    for (int undo : {3, 7})
      w.act({undo, which, 0}, 0ms);
    w.act({kinds_of_action - 1, which, 0}, 3s);
  }
  w.settle();
  RC_ASSERT(w.seen().losses == 0);
  RC_ASSERT(!w.seen().any());
}

/// All nodes of a hub that was put back say what they have seen before it
/// gives anything away.
RC_GTEST_PROP(MembershipWorld, AnOlderDatabaseGivesNoEpochTwice, ()) {
  world w{{}, usual_stop, 7};
  for (const auto& [what, pause] : *any_script())
    w.act(what, pause);
  w.settle();
  w.put_back();
  w.settle();
  RC_ASSERT(!w.seen().epoch_reused);
  RC_ASSERT(!w.seen().unsettled);
}

TEST(MembershipWorld, OneWaySilenceStopsTheAgentsInEitherDirection) {
  for (int kind : {0, 1, 2}) {
    world w{{}, usual_stop, 7};
    w.act({kind, 0, 0}, 30s);
    EXPECT_FALSE(w.works(0)) << kind;
    EXPECT_GE(w.seen().losses, 1) << kind;
    w.settle();
    EXPECT_FALSE(w.seen().any()) << kind;
  }
}

TEST(MembershipWorld, AllComeBackWhenTheirHubDoes) {
  world w{{}, usual_stop, 7};
  w.act({10, 0, 0}, 30s);
  w.act({11, 0, 0}, 5s);
  EXPECT_EQ(w.seen().losses, 0);
  w.settle();
  EXPECT_FALSE(w.seen().any());
}

// -- planted defects ----------------------------------------------------------

TEST(MembershipDefects, ANodeThatDoesNotFenceIsFound) {
  rule with;
  with.fence = [](const own_lease&, milliseconds, mono_time) { return false; };
  EXPECT_TRUE(found(with, [](const findings& x) { return x.two_work; }));
}

TEST(MembershipDefects, AnEpochThatIsUsedAgainIsFound) {
  rule with;
  with.next_epoch = [](std::uint64_t x) { return x; };
  EXPECT_TRUE(found(with, [](const findings& x) { return x.epoch_reused; }));
  EXPECT_TRUE(found(with, [](const findings& x) { return x.stale_push; }));
}

TEST(MembershipDefects, ARenewalByAnEarlierLifeIsFound) {
  rule with;
  with.beat = [](const membership& m, std::uint64_t, const cluster_times& t,
                 mono_time now) { return hear_beat(m, m.incarnation, t, now); };
  EXPECT_TRUE(found(with, [](const findings& x) { return x.stale_renewal; }));
}

TEST(MembershipDefects, AGreetingOfAnEarlierLifeIsFound) {
  rule with;
  with.hello = [](const membership& m, std::uint64_t life,
                  const cluster_times& t, mono_time now) {
    return hear_hello(m, std::max(life, m.incarnation), t, now);
  };
  EXPECT_TRUE(found(with, [](const findings& x) { return x.stale_renewal; }));
}

TEST(MembershipDefects, AGrantBeforeTheLeaseIsOverIsFound) {
  rule with;
  with.regrant
    = [](const membership& m, mono_time) { return m.link == node_link::lost; };
  EXPECT_TRUE(found(with, [](const findings& x) { return x.two_work; }));
}

TEST(MembershipDefects, AHubThatStartsWithoutGraceIsFound) {
  rule with;
  with.start
    = [](const cluster_node& row, const cluster_times& t, mono_time now) {
        auto m = after_start(row, t, now);
        m.link = node_link::lost;
        m.lease_until = now;
        return m;
      };
  EXPECT_TRUE(found(with, [](const findings& x) { return x.two_work; }));
}

TEST(MembershipDefects, ALeaseThatCountsFromTheAnswerIsFound) {
  rule with;
  with.counts_from = [](mono_time, mono_time answered) { return answered; };
  EXPECT_TRUE(found(with, [](const findings& x) { return x.two_work; }));
}

TEST(MembershipDefects, AClockThatSleepsWithItsHostIsFound) {
  rule with;
  with.clock_sleeps = true;
  EXPECT_TRUE(found(with, [](const findings& x) { return x.two_work; }));
}

TEST(MembershipDefects, TimesThatBreakTheInequalityAreFound) {
  auto stop_after = 10'500ms;
  ASSERT_TRUE(fencing_problem(stop_after, times.lease));
  EXPECT_TRUE(found(
    {}, [](const findings& x) { return x.two_work; }, stop_after));
}

TEST(MembershipDefects, AHubThatForgetsWhatNodesHaveSeenIsFound) {
  rule with;
  with.remembers = false;
  world w{with, usual_stop, 7};
  // Two grants of one task, of which the backup knows nothing.
  for (int i = 0; i < 2; ++i) {
    w.act({2, 0, 0}, 15s);
    w.act({3, 0, 0}, 5s);
    w.act({2, 1, 0}, 15s);
    w.act({3, 1, 0}, 5s);
  }
  w.put_back();
  w.act({2, 0, 0}, 15s);
  EXPECT_TRUE(w.seen().epoch_reused);
}
