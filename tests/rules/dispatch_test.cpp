#include "runtime/rules/dispatch.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <map>

using namespace ao;
using namespace std::chrono_literals;

namespace {

const mono_time now{1h};

dispatch_load idle() {
  dispatch_load load;
  load.free_memory = load.free_disk = std::uint64_t{1} << 40;
  return load;
}

dispatch_candidate waiting(std::string id, int priority = 5, int since = 0) {
  dispatch_candidate c;
  c.id = std::move(id);
  c.priority = priority;
  c.since = wall_time{milliseconds{since}};
  return c;
}

/// One that counts for a project and an agent as well.
dispatch_candidate of(std::string id, const char* project, const char* agent) {
  auto c = waiting(std::move(id));
  c.project = project_id{project};
  c.agent = agent;
  return c;
}

std::vector<dispatch_candidate> crowd(int n) {
  std::vector<dispatch_candidate> out;
  for (int i = 1; i <= n; ++i)
    out.push_back(waiting("app-" + std::to_string(i)));
  return out;
}

} // namespace

TEST(Dispatch, StartsByPriorityThenAgeThenNumber) {
  auto plan = plan_dispatch({waiting("app-10"), waiting("app-9"),
                             waiting("app-3", 5, 7), waiting("app-4", 0, 9)},
                            idle(), {}, now);
  EXPECT_EQ(plan.start,
            (std::vector<std::string>{"app-4", "app-9", "app-10", "app-3"}));
}

TEST(Dispatch, LooksAgainForRoomOnTheHostWhileSomebodyWaits) {
  auto load = idle();
  load.free_disk = 0;
  auto plan = plan_dispatch(crowd(1), load, {}, now);
  ASSERT_TRUE(plan.again_at);
  EXPECT_GT(*plan.again_at, now);
  EXPECT_FALSE(plan_dispatch({}, load, {}, now).again_at);
  EXPECT_FALSE(plan_dispatch(crowd(1), idle(), {}, now).again_at);
}

TEST(Dispatch, NamesTheCapThatMakesItWait) {
  auto reason = [](dispatch_load load, dispatch_limits limits) {
    auto plan = plan_dispatch(crowd(1), load, limits, now);
    return plan.wait.empty() ? "" : plan.wait[0].reason;
  };
  EXPECT_EQ(reason(idle(), {}), "");
  auto load = idle();
  load.running = 15;
  EXPECT_EQ(reason(load, {}), "all 15 slots are taken");
  load = idle();
  load.spawning = 16;
  dispatch_limits wide;
  wide.sessions = 100;
  EXPECT_EQ(reason(load, wide), "16 sessions are being started");
  load = idle();
  load.starts.assign(30, now - 10s);
  EXPECT_EQ(reason(load, {}), "at most 30 starts a minute");
  load = idle();
  load.free_memory = 64 << 20;
  EXPECT_EQ(reason(load, {}), "free memory is below 1GiB");
  load = idle();
  load.free_disk = 1 << 30;
  EXPECT_EQ(reason(load, {}), "free disk is below 2GiB");
}

TEST(Dispatch, KeepsTheCapOfAProject) {
  dispatch_limits limits;
  limits.sessions_of_project = {{project_id{"app"}, 2}};
  auto load = idle();
  load.running = load.running_of_project[project_id{"app"}] = 1;
  auto plan = plan_dispatch({of("app-1", "app", "a"), of("app-2", "app", "b"),
                             of("web-3", "web", "a"), of("web-4", "web", "b")},
                            load, limits, now);
  EXPECT_EQ(plan.start, (std::vector<std::string>{"app-1", "web-3", "web-4"}));
  ASSERT_EQ(plan.wait.size(), 1u);
  EXPECT_EQ(plan.wait[0].id, "app-2");
  EXPECT_EQ(plan.wait[0].reason, "all 2 slots of project app are taken");
}

TEST(Dispatch, KeepsTheCapOfAnAgent) {
  dispatch_limits limits;
  limits.sessions_of_agent = {{"codex", 1}, {"idle", 5}};
  auto plan
    = plan_dispatch({of("app-1", "app", "codex"), of("web-2", "web", "codex"),
                     of("web-3", "web", "free"), of("web-4", "web", "idle")},
                    idle(), limits, now);
  EXPECT_EQ(plan.start, (std::vector<std::string>{"app-1", "web-3", "web-4"}));
  ASSERT_EQ(plan.wait.size(), 1u);
  EXPECT_EQ(plan.wait[0].reason, "the only slot of agent codex is taken");
  auto load = idle();
  load.running = load.running_of_agent["codex"] = 1;
  EXPECT_EQ(plan_dispatch({of("app-1", "app", "codex")}, load, limits, now)
              .start.size(),
            0u);
}

TEST(Dispatch, NamesTheWidestCapThatIsReached) {
  dispatch_limits limits;
  limits.sessions = 3;
  limits.sessions_of_project = {{project_id{"app"}, 3}};
  limits.sessions_of_agent = {{"codex", 3}};
  auto reason = [&](std::uint32_t all, std::uint32_t app, std::uint32_t codex) {
    auto load = idle();
    load.running = all;
    load.running_of_project[project_id{"app"}] = app;
    load.running_of_agent["codex"] = codex;
    auto plan = plan_dispatch({of("app-1", "app", "codex")}, load, limits, now);
    return plan.wait.empty() ? "" : plan.wait[0].reason;
  };
  for (std::uint32_t app = 0; app <= 4; ++app)
    for (std::uint32_t codex = 0; codex <= 4; ++codex)
      for (std::uint32_t all = 0; all <= 4; ++all)
        EXPECT_EQ(reason(all, app, codex),
                  all >= 3       ? "all 3 slots are taken"
                    : app >= 3   ? "all 3 slots of project app are taken"
                    : codex >= 3 ? "all 3 slots of agent codex are taken"
                                 : "")
          << all << ' ' << app << ' ' << codex;
}

TEST(Dispatch, SaysWhenThePaceAllowsTheNext) {
  auto load = idle();
  dispatch_limits limits;
  limits.spawns_per_minute = 2;
  load.starts = {now - 90s, now - 50s};
  auto plan = plan_dispatch(crowd(3), load, limits, now);
  EXPECT_EQ(plan.start.size(), 1u);
  ASSERT_TRUE(plan.again_at);
  EXPECT_EQ(*plan.again_at, now + 10s);
}

TEST(Dispatch, HasNoPaceAtZero) {
  dispatch_limits limits;
  limits.spawns_per_minute = 0;
  limits.sessions = limits.parallel_spawns = 1000;
  auto load = idle();
  load.starts.assign(500, now);
  EXPECT_EQ(plan_dispatch(crowd(400), load, limits, now).start.size(), 400u);
}

TEST(Dispatch, StartsThoseOfOneGroupOneAfterTheOther) {
  auto all = crowd(3);
  for (auto& c : all)
    c.group = "codex";
  all.push_back(waiting("other-1"));
  dispatch_limits limits;
  limits.group_pause = 1s;
  auto plan = plan_dispatch(all, idle(), limits, now);
  EXPECT_EQ(plan.start, (std::vector<std::string>{"app-1", "other-1"}));
  ASSERT_EQ(plan.wait.size(), 2u);
  EXPECT_EQ(plan.wait[0].reason,
            "codex works again; one starts after the other");
  EXPECT_EQ(plan.again_at, now + 1s);
  auto load = idle();
  load.next_of_group = plan.next_of_group;
  all.erase(all.begin());
  EXPECT_TRUE(plan_dispatch({all[0]}, load, limits, now + 999ms).start.empty());
  plan = plan_dispatch(all, load, limits, now + 1s);
  EXPECT_EQ(plan.start, (std::vector<std::string>{"other-1", "app-2"}));
}

TEST(Dispatch, PassesByThoseThatCannotStart) {
  auto held = waiting("app-1", 0);
  held.held_by = "waits for T1";
  auto late = waiting("app-2", 0);
  late.not_before = now + 5s;
  auto plan = plan_dispatch({held, late, waiting("app-3")}, idle(), {}, now);
  EXPECT_EQ(plan.start, std::vector<std::string>{"app-3"});
  ASSERT_EQ(plan.wait.size(), 2u);
  EXPECT_EQ(plan.wait[0].reason, "waits for T1");
  EXPECT_EQ(*plan.again_at, now + 5s);
}

TEST(Dispatch, StartsReviewersFirst) {
  auto review = waiting("app-9", 7, 99);
  review.reviewer = true;
  auto plan = plan_dispatch({waiting("app-1", 0), review}, idle(), {}, now);
  EXPECT_EQ(plan.start, (std::vector<std::string>{"app-9", "app-1"}));
}

TEST(Dispatch, LetsOneReviewerInWhereAllSlotsWaitForReviews) {
  auto review = waiting("app-8");
  review.reviewer = true;
  auto another = waiting("app-9");
  another.reviewer = true;
  auto load = idle();
  load.running = 15;
  auto started = [&] {
    return plan_dispatch({waiting("app-1"), another, review}, load, {}, now)
      .start;
  };
  EXPECT_TRUE(started().empty());
  load.await_review = 1;
  EXPECT_EQ(started(), std::vector<std::string>{"app-8"});
  load.reviewers = 1;
  EXPECT_TRUE(started().empty());
}

RC_GTEST_PROP(DispatchProperty, NeverExceedsACapAndPlansEachOnce, ()) {
  auto pick = [](int most) {
    return static_cast<std::uint32_t>(*rc::gen::inRange(0, most));
  };
  dispatch_limits limits;
  limits.sessions = pick(20);
  limits.parallel_spawns = pick(20);
  limits.spawns_per_minute = pick(20);
  auto load = idle();
  load.running = pick(25);
  load.spawning = std::min(load.running, pick(25));
  const std::vector<project_id> projects{project_id{"a"}, project_id{"b"}};
  const std::vector<std::string> agents{"x", "y"};
  for (const auto& project : projects) {
    if (pick(2) == 0)
      limits.sessions_of_project[project] = pick(8);
    load.running_of_project[project] = pick(4);
  }
  for (const auto& agent : agents) {
    if (pick(2) == 0)
      limits.sessions_of_agent[agent] = pick(8);
    load.running_of_agent[agent] = pick(4);
  }
  for (auto n = pick(25); n > 0; --n)
    load.starts.push_back(now - std::chrono::seconds{pick(120)});
  std::vector<dispatch_candidate> candidates;
  for (auto n = pick(40); n > 0; --n) {
    auto c = waiting("app-" + std::to_string(n), static_cast<int>(pick(10)),
                     static_cast<int>(pick(5)));
    c.project = projects[pick(2)];
    c.agent = agents[pick(2)];
    if (pick(5) == 0)
      c.held_by = "held";
    candidates.push_back(std::move(c));
  }
  auto plan = plan_dispatch(candidates, load, limits, now);
  auto started = static_cast<std::uint32_t>(plan.start.size());
  auto count = [&](auto of_it) {
    std::uint32_t n = 0;
    for (const auto& id : plan.start)
      for (const auto& c : candidates)
        n += c.id == id && of_it(c) ? 1 : 0;
    return n;
  };
  for (const auto& [project, cap] : limits.sessions_of_project) {
    auto more = count([&p = project](auto& c) { return c.project == p; });
    RC_ASSERT(more == 0 || load.running_of_project[project] + more <= cap);
  }
  for (const auto& [agent, cap] : limits.sessions_of_agent) {
    auto more = count([&a = agent](auto& c) { return c.agent == a; });
    RC_ASSERT(more == 0 || load.running_of_agent[agent] + more <= cap);
  }
  RC_ASSERT(plan.start.size() + plan.wait.size() == candidates.size());
  if (started > 0) {
    RC_ASSERT(load.running + started <= limits.sessions);
    RC_ASSERT(load.spawning + started <= limits.parallel_spawns);
    auto recent = std::count_if(load.starts.begin(), load.starts.end(),
                                [](auto t) { return now - t < 1min; });
    if (limits.spawns_per_minute > 0)
      RC_ASSERT(static_cast<std::uint32_t>(recent) + started
                <= limits.spawns_per_minute);
  }
  // Nobody that can start waits behind one of the same caps that comes after
  // it.
  std::map<std::string, dispatch_candidate> by_id;
  for (const auto& c : candidates)
    by_id[c.id] = c;
  for (const auto& w : plan.wait) {
    RC_ASSERT(!w.reason.empty());
    const auto& c = by_id[w.id];
    if (!c.held_by.empty())
      continue;
    for (const auto& s : plan.start)
      if (by_id[s].project == c.project && by_id[s].agent == c.agent)
        RC_ASSERT(std::make_pair(by_id[s].priority, by_id[s].since)
                  <= std::make_pair(c.priority, c.since));
  }
}

RC_GTEST_PROP(DispatchProperty, StarvesNobodyOfEqualPriority, ()) {
  dispatch_limits limits;
  limits.sessions = static_cast<std::uint32_t>(*rc::gen::inRange(1, 4));
  limits.spawns_per_minute = 0;
  std::deque<dispatch_candidate> queue;
  int made = 0;
  for (; made < 10; ++made)
    queue.push_back(waiting("app-" + std::to_string(made), 5, made));
  // Newcomers arrive with every round; the first ten still get their turn.
  std::map<std::string, int> served;
  for (int round = 0; round < 12; ++round) {
    auto plan
      = plan_dispatch({queue.begin(), queue.end()}, idle(), limits, now);
    for (const auto& id : plan.start) {
      served[id] = round;
      queue.erase(std::find_if(queue.begin(), queue.end(),
                               [&](auto& c) { return c.id == id; }));
    }
    for (int i = 0; i < *rc::gen::inRange(0, 4); ++i, ++made)
      queue.push_front(waiting("app-" + std::to_string(made), 5, made));
  }
  for (int i = 0; i < 10; ++i)
    RC_ASSERT(served.count("app-" + std::to_string(i)) == 1u);
}

TEST(Reschedule, DoublesUpToAnHour) {
  EXPECT_EQ(reschedule_delay(0), 0ms);
  EXPECT_EQ(reschedule_delay(1), 30s);
  EXPECT_EQ(reschedule_delay(2), 60s);
  EXPECT_EQ(reschedule_delay(7), 32min);
  EXPECT_EQ(reschedule_delay(8), 1h);
  EXPECT_EQ(reschedule_delay(4'000'000'000u), 1h);
}

TEST(Reschedule, WaitsWhatIsLeftWhateverTheWallClockDoes) {
  wall_time end{1000h};
  EXPECT_EQ(reschedule_wait(1, end, end), 30s);
  EXPECT_EQ(reschedule_wait(1, end, end + 10s), 20s);
  EXPECT_EQ(reschedule_wait(1, end, end + 24h), 0s);
  EXPECT_EQ(reschedule_wait(1, end, end - 24h), 30s);
}
