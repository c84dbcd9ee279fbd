#include "tests/support/supervision_world.hpp"

#include <gtest/gtest.h>

#include <ostream>

using namespace ao;
using namespace ao::test;
using namespace std::chrono_literals;
using rule = supervision;

namespace {

constexpr auto one = restart_strategy::one_for_one;
constexpr auto all = restart_strategy::one_for_all;
constexpr auto rest = restart_strategy::rest_for_one;
constexpr auto dyn = restart_strategy::dynamic;
constexpr auto permanent = restart_kind::permanent;
constexpr auto transient = restart_kind::transient;
constexpr auto temporary = restart_kind::temporary;
constexpr auto normal = exit_class::normal;
constexpr auto shut = exit_class::shutdown;
constexpr auto err = exit_class::error;

/// Children a, b, c of one kind; three restarts in ten seconds.
supervision_world world_of(restart_strategy s, restart_kind k = permanent,
                           restart_limits limits = {3, 10s, 0ms, 5min, 0.}) {
  return {{s, limits, 1s},
          {{"a", k, milliseconds::max(), 5s},
           {"b", k, milliseconds::max(), 5s},
           {"c", k, milliseconds::max(), 5s}}};
}

supervision_world begun(restart_strategy s, restart_kind k = permanent,
                        restart_limits limits = {3, 10s, 0ms, 5min, 0.}) {
  auto w = world_of(s, k, limits);
  w.feed(rule::begin{});
  w.take();
  return w;
}

std::string phase_of(supervision_world& w, const std::string& id) {
  auto info = w.machine().find(id);
  return info ? std::string{to_string(info->phase)} : "absent";
}

} // namespace

// -- what follows when the middle one of three ends ---------------------------

struct ending {
  const char* name;
  restart_strategy strategy;
  restart_kind kind;
  exit_class how;
  const char* story;
};

std::ostream& operator<<(std::ostream& out, const ending& x) {
  return out << x.name;
}

class Ending : public ::testing::TestWithParam<ending> {};

TEST_P(Ending, IsTreatedAsOtpDoes) {
  auto& x = GetParam();
  auto w = begun(x.strategy, x.kind);
  w.crash("b", x.how);
  EXPECT_EQ(w.take(), x.story);
  EXPECT_TRUE(w.broken.empty());
}

constexpr auto alone = "restarting b 1, start b#2, running b#2";
constexpr auto group_all
  = "restarting b 1, ask c#1, ask a#1, start a#2, running a#2, start b#2, "
    "running b#2, start c#2, running c#2";
constexpr auto group_rest = "restarting b 1, ask c#1, start b#2, running b#2, "
                            "start c#2, running c#2";

INSTANTIATE_TEST_SUITE_P(
  Matrix, Ending,
  ::testing::Values(
    ending{"OnePermanentNormal", one, permanent, normal, alone},
    ending{"OnePermanentShutdown", one, permanent, shut, alone},
    ending{"OnePermanentError", one, permanent, err, alone},
    ending{"OneTransientNormal", one, transient, normal, "stopped b"},
    ending{"OneTransientShutdown", one, transient, shut, "stopped b"},
    ending{"OneTransientError", one, transient, err, alone},
    ending{"OneTemporaryNormal", one, temporary, normal, "removed b"},
    ending{"OneTemporaryShutdown", one, temporary, shut, "removed b"},
    ending{"OneTemporaryError", one, temporary, err, "removed b"},
    ending{"AllPermanentNormal", all, permanent, normal, group_all},
    ending{"AllPermanentShutdown", all, permanent, shut, group_all},
    ending{"AllPermanentError", all, permanent, err, group_all},
    ending{"AllTransientNormal", all, transient, normal, "stopped b"},
    ending{"AllTransientShutdown", all, transient, shut, "stopped b"},
    ending{"AllTransientError", all, transient, err, group_all},
    ending{"AllTemporaryNormal", all, temporary, normal, "removed b"},
    ending{"AllTemporaryShutdown", all, temporary, shut, "removed b"},
    ending{"AllTemporaryError", all, temporary, err, "removed b"},
    ending{"RestPermanentNormal", rest, permanent, normal, group_rest},
    ending{"RestPermanentShutdown", rest, permanent, shut, group_rest},
    ending{"RestPermanentError", rest, permanent, err, group_rest},
    ending{"RestTransientNormal", rest, transient, normal, "stopped b"},
    ending{"RestTransientShutdown", rest, transient, shut, "stopped b"},
    ending{"RestTransientError", rest, transient, err, group_rest},
    ending{"RestTemporaryNormal", rest, temporary, normal, "removed b"},
    ending{"RestTemporaryShutdown", rest, temporary, shut, "removed b"},
    ending{"RestTemporaryError", rest, temporary, err, "removed b"},
    ending{"DynamicPermanentNormal", dyn, permanent, normal, alone},
    ending{"DynamicPermanentShutdown", dyn, permanent, shut, alone},
    ending{"DynamicPermanentError", dyn, permanent, err, alone},
    ending{"DynamicTransientNormal", dyn, transient, normal, "removed b"},
    ending{"DynamicTransientShutdown", dyn, transient, shut, "removed b"},
    ending{"DynamicTransientError", dyn, transient, err, alone},
    ending{"DynamicTemporaryNormal", dyn, temporary, normal, "removed b"},
    ending{"DynamicTemporaryShutdown", dyn, temporary, shut, "removed b"},
    ending{"DynamicTemporaryError", dyn, temporary, err, "removed b"}),
  [](const auto& info) { return info.param.name; });

TEST(SupervisionRule, NeverRestartsWhatTheRuntimeLost) {
  for (auto kind : {permanent, transient, temporary})
    EXPECT_EQ(decide_exit(kind, exit_class::unreachable), after_exit::give_up);
  auto w = begun(one);
  w.crash("b", exit_class::unreachable);
  EXPECT_EQ(w.take(), "ask c#1, stopped c, ask a#1, stopped a, failed b");
  auto d = begun(dyn);
  d.crash("b", exit_class::unreachable);
  EXPECT_EQ(d.take(), "given_up b");
}

// -- start --------------------------------------------------------------------

TEST(SupervisionStart, GoesFromLeftToRightEachWhenTheOneBeforeIsReady) {
  auto w = world_of(one);
  w.slow = {"b"};
  w.feed(rule::begin{});
  EXPECT_EQ(w.take(), "start a#1, running a#1, start b#1");
  EXPECT_EQ(phase_of(w, "c"), "waiting");
  w.feed(rule::started{"b", 1});
  EXPECT_EQ(w.take(), "running b#1, start c#1, running c#1, up");
}

TEST(SupervisionStart, OfAnEmptySupervisorIsUpAtOnce) {
  for (auto s : {one, all, rest, dyn}) {
    supervision_world w{{s, {}, 1s}, {}};
    w.feed(rule::begin{});
    EXPECT_EQ(w.take(), "up");
  }
}

TEST(SupervisionStart, ThatFailsStopsThoseStartedInReverseAndFails) {
  for (auto s : {one, all, rest}) {
    auto w = world_of(s);
    w.failing["c"] = err;
    w.feed(rule::begin{});
    EXPECT_EQ(w.take(),
              "start a#1, running a#1, start b#1, running b#1, "
              "start c#1, ask b#1, stopped b, ask a#1, stopped a, "
              "failed c");
  }
}

TEST(SupervisionStart, OfTheFirstThatFailsLeavesNothing) {
  auto w = world_of(one);
  w.failing["a"] = err;
  w.feed(rule::begin{});
  EXPECT_EQ(w.take(), "start a#1, failed a");
}

TEST(SupervisionStart, IgnoresAChildThatHasNothingToDo) {
  auto w = world_of(one);
  w.failing["b"] = normal;
  w.feed(rule::begin{});
  EXPECT_EQ(w.take(),
            "start a#1, running a#1, start b#1, stopped b, "
            "start c#1, running c#1, up");
  EXPECT_EQ(phase_of(w, "b"), "stopped");
}

TEST(SupervisionStart, ForgetsATemporaryChildThatHasNothingToDo) {
  auto w = world_of(one, temporary);
  w.failing["b"] = normal;
  w.feed(rule::begin{});
  EXPECT_EQ(phase_of(w, "b"), "absent");
}

TEST(SupervisionStart, OfATemporaryChildThatFailsFailsTheSupervisorToo) {
  auto w = world_of(one, temporary);
  w.failing["b"] = err;
  w.feed(rule::begin{});
  EXPECT_EQ(w.take(),
            "start a#1, running a#1, start b#1, ask a#1, removed a, "
            "failed b");
}

TEST(SupervisionStart, ThatTakesTooLongIsKilledAndFails) {
  supervision_world w{{one, {}, 1s}, {{"a", permanent, 30s, 5s}}};
  w.slow = {"a"};
  w.feed(rule::begin{});
  w.advance(29s);
  EXPECT_EQ(w.take(), "start a#1");
  w.advance(1s);
  EXPECT_EQ(w.take(), "kill a#1, failed a");
}

TEST(SupervisionStart, ThatIsReadyInTimeIsNotKilledLater) {
  supervision_world w{{one, {}, 1s}, {{"a", permanent, 30s, 5s}}};
  w.feed(rule::begin{});
  w.take();
  w.advance(60s);
  EXPECT_EQ(w.take(), "");
}

TEST(SupervisionStart, OfDynamicChildrenIsAllAtOnceAndOneFailureIsItsOwn) {
  auto w = world_of(dyn);
  w.failing["b"] = err;
  w.feed(rule::begin{});
  EXPECT_EQ(w.take(),
            "start a#1, start b#1, start c#1, running a#1, "
            "restarting b 1, start b#2, running c#1, up, "
            "restarting b 2, start b#3, restarting b 3, start b#4, "
            "given_up b");
  EXPECT_EQ(w.living(), (std::vector<std::string>{"a", "c"}));
}

TEST(SupervisionStart, TakesTheFirstOfTwoChildrenOfOneId) {
  supervision_world w{{one, {}, 1s}, {{"a"}, {"a"}}};
  w.feed(rule::begin{});
  EXPECT_EQ(w.take(), "start a#1, running a#1, up");
}

// -- stop ---------------------------------------------------------------------

TEST(SupervisionStop, GoesFromRightToLeftEachWhenTheOneBehindHasEnded) {
  for (auto s : {one, all, rest}) {
    auto w = begun(s);
    w.feed(rule::stop{});
    EXPECT_EQ(w.take(),
              "ask c#1, stopped c, ask b#1, stopped b, ask a#1, "
              "stopped a, done");
  }
}

TEST(SupervisionStop, OfDynamicChildrenAsksAllAtOnce) {
  auto w = begun(dyn);
  w.feed(rule::stop{});
  EXPECT_EQ(w.take(),
            "ask a#1, ask b#1, ask c#1, removed a, removed b, "
            "removed c, done");
}

TEST(SupervisionStop, KillsWhoIsOverItsDeadline) {
  auto w = begun(one);
  w.deaf = {"c"};
  w.feed(rule::stop{});
  w.advance(4999ms);
  EXPECT_EQ(w.take(), "ask c#1");
  w.advance(1ms);
  EXPECT_EQ(w.take(),
            "kill c#1, stopped c, ask b#1, stopped b, ask a#1, "
            "stopped a, done");
}

TEST(SupervisionStop, AbandonsAndCountsWhoDoesNotDieByKill) {
  auto w = begun(one);
  w.undead = {"b"};
  w.feed(rule::stop{});
  w.advance(5s);
  EXPECT_EQ(w.take(), "ask c#1, stopped c, ask b#1, kill b#1");
  w.advance(1s);
  EXPECT_EQ(w.take(), "abandon b#1, stopped b, ask a#1, stopped a, done");
  EXPECT_EQ(w.machine().abandoned(), 1u);
  w.feed(rule::ended{"b", 1, err, {}});
  EXPECT_EQ(w.take(), "");
}

TEST(SupervisionStop, KillsAtOnceWithoutADeadline) {
  supervision_world w{{one, {}, 1s},
                      {{"a", permanent, milliseconds::max(), 0ms}}};
  w.feed(rule::begin{});
  w.take();
  w.feed(rule::stop{});
  EXPECT_EQ(w.take(), "kill a#1, stopped a, done");
}

TEST(SupervisionStop, WaitsForeverForAChildWithoutLimit) {
  supervision_world w{
    {one, {}, 1s},
    {{"a", permanent, milliseconds::max(), milliseconds::max()}}};
  w.deaf = {"a"};
  w.feed(rule::begin{});
  w.feed(rule::stop{});
  w.take();
  w.advance(std::chrono::hours{24});
  EXPECT_EQ(w.take(), "");
  w.crash("a", shut);
  EXPECT_EQ(w.take(), "stopped a, done");
}

TEST(SupervisionStop, DuringTheStartStopsWhatIsThere) {
  auto w = world_of(one);
  w.slow = {"b"};
  w.feed(rule::begin{});
  w.take();
  w.feed(rule::stop{});
  EXPECT_EQ(w.take(), "ask b#1, stopped b, ask a#1, stopped a, done");
}

TEST(SupervisionStop, DuringAPauseForgetsTheRestart) {
  auto w = begun(one, permanent, {3, 10s, 1s, 5min, 0.});
  w.crash("b");
  w.feed(rule::stop{});
  w.take();
  w.advance(60s);
  EXPECT_EQ(w.take(), "");
  EXPECT_TRUE(w.living().empty());
}

TEST(SupervisionStop, DoesNotRestartWhoCrashesMeanwhile) {
  auto w = begun(one);
  w.deaf = {"c"};
  w.feed(rule::stop{});
  w.crash("a");
  EXPECT_EQ(w.take(), "ask c#1, stopped a");
  w.crash("c");
  EXPECT_EQ(w.take(), "stopped c, ask b#1, stopped b, done");
}

TEST(SupervisionStop, TwiceIsOnce) {
  auto w = begun(one);
  w.feed(rule::stop{});
  w.take();
  w.feed(rule::stop{});
  EXPECT_EQ(w.take(), "");
}

TEST(SupervisionStop, RefusesNewChildren) {
  auto w = begun(dyn);
  w.deaf = {"a"};
  w.feed(rule::stop{});
  w.take();
  w.feed(rule::start_child{{"d"}});
  EXPECT_EQ(w.take(), "refused d shutting_down");
}

// -- intensity and period -----------------------------------------------------

TEST(SupervisionLimit, AllowsExactlyIntensityRestartsInAPeriod) {
  auto w = begun(one);
  for (auto i = 0; i < 3; ++i)
    w.crash("b");
  EXPECT_EQ(w.living().size(), 3u);
  w.take();
  w.crash("b", err, "the last straw");
  EXPECT_EQ(w.take(), "ask c#1, stopped c, ask a#1, stopped a, failed b");
}

TEST(SupervisionLimit, CountsTheRestartsOfAllChildren) {
  auto w = begun(one);
  w.crash("a");
  w.crash("b");
  w.crash("c");
  w.take();
  w.crash("a");
  EXPECT_EQ(w.take(), "ask c#2, stopped c, ask b#2, stopped b, failed a");
}

TEST(SupervisionLimit, OfZeroFailsAtTheFirstCrash) {
  auto w = begun(one, permanent, {0, 10s, 0ms, 5min, 0.});
  w.crash("b");
  EXPECT_EQ(w.take(), "ask c#1, stopped c, ask a#1, stopped a, failed b");
}

TEST(SupervisionLimit, StillCountsARestartExactlyOnePeriodAgo) {
  auto w = begun(one, permanent, {1, 10s, 0ms, 5min, 0.});
  w.crash("b");
  w.advance(10s);
  w.crash("b");
  EXPECT_TRUE(w.living().empty());
}

TEST(SupervisionLimit, ForgetsARestartOlderThanThePeriod) {
  auto w = begun(one, permanent, {1, 10s, 0ms, 5min, 0.});
  w.crash("b");
  w.advance(10001ms);
  w.crash("b");
  EXPECT_EQ(w.living().size(), 3u);
}

TEST(SupervisionLimit, DoesNotCountEndsWithoutRestart) {
  auto w = begun(one, transient, {0, 10s, 0ms, 5min, 0.});
  w.crash("a", normal);
  w.crash("b", shut);
  EXPECT_EQ(w.living(), std::vector<std::string>{"c"});
  EXPECT_FALSE(w.machine().closing());
}

TEST(SupervisionLimit, CountsARestartOfAGroupOnce) {
  auto w = begun(all);
  for (auto i = 0; i < 3; ++i)
    w.crash("b");
  EXPECT_EQ(w.living().size(), 3u);
}

TEST(SupervisionLimit, CountsAFailedRestartAsOneMore) {
  auto w = begun(one);
  w.failing["b"] = err;
  w.crash("b");
  EXPECT_EQ(w.take(),
            "restarting b 1, start b#2, restarting b 2, start b#3, "
            "restarting b 3, start b#4, ask c#1, stopped c, ask a#1, "
            "stopped a, failed b");
}

TEST(SupervisionLimit, CountsAFailedGroupRestartAsOneMore) {
  auto w = begun(rest);
  w.failing["c"] = err;
  w.crash("b");
  EXPECT_EQ(w.take(),
            "restarting b 1, ask c#1, start b#2, running b#2, start c#2, "
            "restarting c 2, start c#3, restarting c 3, start c#4, "
            "ask b#2, stopped b, ask a#1, stopped a, failed c");
}

TEST(SupervisionLimit, OfADynamicChildIsItsOwn) {
  auto w = begun(dyn);
  for (auto i = 0; i < 3; ++i)
    for (auto id : {"a", "b", "c"})
      w.crash(id);
  EXPECT_EQ(w.living().size(), 3u);
  w.take();
  w.crash("b");
  EXPECT_EQ(w.take(), "given_up b");
  EXPECT_EQ(w.living(), (std::vector<std::string>{"a", "c"}));
}

TEST(SupervisionLimit, FailsWithTheLastReason) {
  supervision s{{one, {1, 10s, 0ms, 5min, 0.}, 1s}, {{"a"}}};
  mono_time t{};
  s.on(rule::begin{}, t);
  s.on(rule::started{"a", 1}, t);
  s.on(rule::ended{"a", 1, err, {ec::internal, "first"}}, t);
  s.on(rule::started{"a", 2}, t);
  auto last = s.on(rule::ended{"a", 2, err, {ec::git_failed, "second"}}, t);
  ASSERT_EQ(last.size(), 1u);
  EXPECT_EQ(std::get<rule::failed>(last[0]).reason,
            (error{ec::git_failed, "second"}));
}

// -- delays -------------------------------------------------------------------

TEST(SupervisionDelay, DoublesUpToItsCapAndSwaysByItsJitter) {
  restart_limits limits{9, 60s, 15s, 5min, 0.25};
  EXPECT_EQ(restart_delay(limits, 1, 0.5), 15s);
  EXPECT_EQ(restart_delay(limits, 2, 0.5), 30s);
  EXPECT_EQ(restart_delay(limits, 5, 0.5), 240s);
  EXPECT_EQ(restart_delay(limits, 6, 0.5), 300s);
  EXPECT_EQ(restart_delay(limits, 4'000'000'000u, 0.5), 300s);
  EXPECT_EQ(restart_delay(limits, 1, 0.), 11250ms);
  EXPECT_EQ(restart_delay(limits, 1, 1.), 18750ms);
  limits.delay = 0ms;
  EXPECT_EQ(restart_delay(limits, 3, 1.), 0ms);
}

TEST(SupervisionDelay, OfOneChildLetsTheOthersWork) {
  auto w = begun(one, permanent, {3, 60s, 1s, 5min, 0.});
  w.crash("a");
  EXPECT_EQ(w.take(), "restarting a 1");
  EXPECT_EQ(phase_of(w, "a"), "waiting");
  w.feed(rule::stop_child{"b"});
  EXPECT_EQ(w.take(), "ask b#1, stopped b");
  w.advance(999ms);
  EXPECT_EQ(w.take(), "");
  w.advance(1ms);
  EXPECT_EQ(w.take(), "start a#2, running a#2");
}

TEST(SupervisionDelay, GrowsForTheChildThatCrashesAndNotForItsSiblings) {
  auto w = begun(one, permanent, {9, 60s, 1s, 5min, 0.});
  w.crash("a");
  w.advance(1s);
  w.crash("a");
  w.crash("b");
  w.take();
  w.advance(1s);
  EXPECT_EQ(w.take(), "start b#2, running b#2");
  w.advance(1s);
  EXPECT_EQ(w.take(), "start a#3, running a#3");
}

TEST(SupervisionDelay, OfAGroupComesAfterItsStop) {
  auto w = begun(all, permanent, {3, 60s, 1s, 5min, 0.});
  w.crash("b");
  EXPECT_EQ(w.take(), "restarting b 1, ask c#1, ask a#1");
  w.advance(1s);
  EXPECT_EQ(w.take(),
            "start a#2, running a#2, start b#2, running b#2, "
            "start c#2, running c#2");
}

// -- groups in motion ---------------------------------------------------------

TEST(SupervisionGroup, StartsFromTheLeftmostOfTwoThatCrashed) {
  auto w = begun(rest, permanent, {9, 60s, 1s, 5min, 0.});
  w.crash("c");
  w.crash("a");
  EXPECT_EQ(w.take(), "restarting c 1, restarting a 2, ask b#1");
  w.advance(5s);
  EXPECT_EQ(w.take(),
            "start a#2, running a#2, start b#2, running b#2, "
            "start c#2, running c#2");
}

TEST(SupervisionGroup, BeginsAgainWhenOneCrashesOnTheWayUp) {
  auto w = begun(all);
  w.slow = {"c"};
  w.crash("b");
  w.take();
  w.slow.clear();
  w.crash("a");
  EXPECT_EQ(w.take(),
            "restarting a 2, ask c#2, ask b#2, start a#3, "
            "running a#3, start b#3, running b#3, start c#3, "
            "running c#3");
}

TEST(SupervisionGroup, DoesNotCountWhoDiesOnTheWayDown) {
  auto w = begun(all, permanent, {1, 60s, 0ms, 5min, 0.});
  w.deaf = {"c"};
  w.crash("b");
  w.crash("a");
  w.crash("c");
  EXPECT_EQ(w.living().size(), 3u);
}

TEST(SupervisionGroup, RemovesTemporarySiblings) {
  supervision_world w{{all, {}, 1s}, {{"a"}, {"b", temporary}, {"c"}}};
  w.feed(rule::begin{});
  w.take();
  w.crash("c");
  EXPECT_EQ(w.take(),
            "restarting c 1, ask b#1, removed b, ask a#1, start a#2, "
            "running a#2, start c#2, running c#2");
}

TEST(SupervisionGroup, StartsAStoppedSiblingAsWell) {
  auto w = begun(all);
  w.feed(rule::stop_child{"a"});
  w.take();
  w.crash("b");
  EXPECT_EQ(w.take(),
            "restarting b 1, ask c#1, start a#2, running a#2, "
            "start b#2, running b#2, start c#2, running c#2");
}

TEST(SupervisionGroup, OfTheLastChildIsThatChild) {
  auto w = begun(rest);
  w.crash("c");
  EXPECT_EQ(w.take(), "restarting c 1, start c#2, running c#2");
}

TEST(SupervisionGroup, LeavesDownWhoIsToldToStopMeanwhile) {
  auto w = begun(all, permanent, {3, 60s, 1s, 5min, 0.});
  w.crash("b");
  w.feed(rule::stop_child{"a"});
  w.take();
  w.advance(1s);
  EXPECT_EQ(w.take(), "start b#2, running b#2, start c#2, running c#2");
}

// -- commands -----------------------------------------------------------------

TEST(SupervisionCommand, StartAddsAChildAtTheRight) {
  auto w = begun(one);
  w.feed(rule::start_child{{"d"}});
  EXPECT_EQ(w.take(), "start d#1, running d#1");
  w.feed(rule::stop{});
  EXPECT_EQ(w.take().substr(0, 7), "ask d#1");
}

TEST(SupervisionCommand, StartOfWhatRunsSaysSo) {
  auto w = begun(dyn);
  w.feed(rule::start_child{{"a"}});
  EXPECT_EQ(w.take(), "running a#1");
}

TEST(SupervisionCommand, StartOfWhatIsPresentButStoppedIsRefused) {
  auto w = begun(one);
  w.feed(rule::stop_child{"a"});
  w.take();
  w.feed(rule::start_child{{"a"}});
  EXPECT_EQ(w.take(), "refused a wrong_state");
}

TEST(SupervisionCommand, StartOfWhatIsStoppingIsRefused) {
  auto w = begun(dyn);
  w.deaf = {"a"};
  w.feed(rule::stop_child{"a"});
  w.take();
  w.feed(rule::start_child{{"a"}});
  EXPECT_EQ(w.take(), "refused a wrong_state");
}

TEST(SupervisionCommand, StartThatFailsForgetsTheChildAndCountsNothing) {
  for (auto s : {one, all, rest, dyn}) {
    auto w = begun(s, permanent, {0, 10s, 0ms, 5min, 0.});
    w.failing["d"] = err;
    w.feed(rule::start_child{{"d"}});
    EXPECT_EQ(w.take(), "start d#1, start_failed_removed d");
    EXPECT_EQ(phase_of(w, "d"), "absent");
    EXPECT_FALSE(w.machine().closing());
  }
}

TEST(SupervisionCommand, StopKeepsTheSpecificationForRestart) {
  auto w = begun(one);
  w.feed(rule::stop_child{"b"});
  EXPECT_EQ(w.take(), "ask b#1, stopped b");
  w.feed(rule::restart_child{"b"});
  EXPECT_EQ(w.take(), "start b#2, running b#2");
}

TEST(SupervisionCommand, StopOfATemporaryChildForgetsIt) {
  auto w = begun(one, temporary);
  w.feed(rule::stop_child{"b"});
  EXPECT_EQ(w.take(), "ask b#1, removed b");
}

TEST(SupervisionCommand, StopOfAWaitingChildEndsTheWait) {
  auto w = begun(one, permanent, {3, 10s, 1s, 5min, 0.});
  w.crash("b");
  w.take();
  w.feed(rule::stop_child{"b"});
  EXPECT_EQ(w.take(), "stopped b");
  w.advance(60s);
  EXPECT_EQ(w.take(), "");
}

TEST(SupervisionCommand, StopDoesNotRestartAPermanentChild) {
  auto w = begun(dyn);
  w.feed(rule::stop_child{"b"});
  EXPECT_EQ(w.take(), "ask b#1, removed b");
}

TEST(SupervisionCommand, StopOfWhatIsNotThereIsDoneWhereChildrenComeAndGo) {
  auto w = begun(dyn);
  w.feed(rule::stop_child{"x"});
  EXPECT_EQ(w.take(), "removed x");
  auto ordered = begun(one);
  ordered.feed(rule::stop_child{"x"});
  EXPECT_EQ(ordered.take(), "refused x bad_input");
}

TEST(SupervisionCommand, RestartAppliesToStoppedChildrenOnly) {
  auto w = begun(one, permanent, {3, 10s, 1s, 5min, 0.});
  w.feed(rule::restart_child{"a"});
  w.feed(rule::restart_child{"x"});
  EXPECT_EQ(w.take(), "refused a wrong_state, refused x bad_input");
  w.crash("a");
  w.take();
  w.feed(rule::restart_child{"a"});
  EXPECT_EQ(w.take(), "refused a wrong_state");
}

TEST(SupervisionCommand, RestartThatFailsKeepsTheSpecification) {
  auto w = begun(one);
  w.feed(rule::stop_child{"b"});
  w.failing["b"] = err;
  w.take();
  w.feed(rule::restart_child{"b"});
  EXPECT_EQ(w.take(), "start b#2, start_failed b");
  EXPECT_EQ(phase_of(w, "b"), "stopped");
}

TEST(SupervisionCommand, DeleteAppliesToStoppedChildrenOnly) {
  auto w = begun(one);
  w.feed(rule::delete_child{"b"});
  EXPECT_EQ(w.take(), "refused b wrong_state");
  w.feed(rule::stop_child{"b"});
  w.take();
  w.feed(rule::delete_child{"b"});
  EXPECT_EQ(w.take(), "removed b");
  w.feed(rule::start_child{{"b"}});
  EXPECT_EQ(w.take(), "start b#1, running b#1");
}

TEST(SupervisionCommand, ListsChildrenInStartOrderAlsoWhileOneWaits) {
  auto w = begun(one, permanent, {3, 10s, 1s, 5min, 0.});
  w.crash("b");
  EXPECT_EQ(
    w.machine().children(),
    (std::vector<child_info>{{"a", child_phase::running, permanent, 1, 0},
                             {"b", child_phase::waiting, permanent, 1, 1},
                             {"c", child_phase::running, permanent, 1, 0}}));
}

TEST(SupervisionRule, IgnoresTheEndOfAnOlderIncarnation) {
  auto w = begun(one);
  w.crash("b");
  w.take();
  w.feed(rule::ended{"b", 1, err, {}});
  w.feed(rule::started{"b", 1});
  w.feed(rule::fired{12345});
  EXPECT_EQ(w.take(), "");
  EXPECT_TRUE(w.lives("b"));
}

TEST(SupervisionRule, IgnoresThatAChildIsReadyWhenItIsToldToStop) {
  auto w = begun(one);
  w.slow = w.deaf = {"d"};
  w.feed(rule::start_child{{"d"}});
  w.feed(rule::stop_child{"d"});
  w.take();
  w.feed(rule::started{"d", 1});
  EXPECT_EQ(w.take(), "");
  EXPECT_EQ(phase_of(w, "d"), "stopping");
  w.advance(5s);
  EXPECT_EQ(w.take(), "kill d#1, stopped d");
}

// -- growth -------------------------------------------------------------------

namespace {

std::uint64_t steps_to_empty(restart_strategy s, std::size_t n,
                             bool one_by_one) {
  std::vector<child_rule> children;
  for (std::size_t i = 0; i < n; ++i)
    children.push_back({"c" + std::to_string(i)});
  supervision_world w{{s, {}, 1s}, children};
  w.feed(rule::begin{});
  auto before = w.machine().steps();
  if (one_by_one)
    for (auto& c : children)
      w.feed(rule::stop_child{c.id});
  else
    w.feed(rule::stop{});
  EXPECT_TRUE(w.living().empty());
  return w.machine().steps() - before;
}

} // namespace

TEST(SupervisionGrowth, RemovingTenTimesTheChildrenIsTenTimesTheWork) {
  for (auto s : {one, rest, dyn})
    for (auto one_by_one : {false, true})
      EXPECT_LE(steps_to_empty(s, 10'000, one_by_one),
                12 * steps_to_empty(s, 1'000, one_by_one));
}
