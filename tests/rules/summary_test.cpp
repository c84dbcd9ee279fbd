#include "runtime/rules/summary.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

using namespace ao;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

/// Events of task T1, at seconds of one range of 0 to 1000.
class Summary : public testing::Test {
protected:
  static wall_time at(int second) {
    return wall_time{} + 1h + std::chrono::seconds{second};
  }

  void take(int second, event_kind kind, json data = json::object(),
            const std::string& subject = "session:app-1") {
    event e;
    e.at = at(second);
    e.kind = kind;
    e.subject = subject;
    data["task"] = "T1";
    e.data = data.dump();
    sum.take(e);
  }

  void whole_life() {
    using k = event_kind;
    take(0, k::task_ready, {{"state", "ready"}, {"title", "Sing"}}, "task:T1");
    take(1, k::claim_refused, {{"why", "held"}}, "task:T1");
    take(10, k::session_spawned, {{"session", "app-1"}, {"agent", "a"}});
    take(20, k::agent_started, {{"run", 1}});
    take(50, k::agent_exited);
    take(50, k::agent_restarted, {{"reason", "crash"}});
    take(60, k::agent_started, {{"run", 2}});
    take(100, k::agent_exited);
    take(100, k::change_opened, {{"change", "app#1"}}, "change:app#1");
    take(110, k::ci_started, {{"sha", "aa"}}, "change:app#1");
    take(115, k::ci_failed, {{"sha", "aa"}}, "change:app#1");
    take(120, k::changes_requested, json::object(), "change:app#1");
    take(200, k::head_moved, {{"head", "bb"}}, "change:app#1");
    take(200, k::ci_started, {{"sha", "bb"}}, "change:app#1");
    take(220, k::ci_passed, {{"sha", "bb"}}, "change:app#1");
    take(230, k::approved, json::object(), "change:app#1");
    take(231, k::conflict, json::object(), "change:app#1");
    take(240, k::merged, {{"sha", "cc"}}, "change:app#1");
    take(241, k::task_closed, {{"state", "merged"}, {"why", "app#1 is merged"}},
         "task:T1");
  }

  summary sum{at(0), at(1000)};
};

TEST_F(Summary, TellsTheWholeLifeOfATask) {
  whole_life();
  auto all = sum.tasks();
  ASSERT_EQ(all.size(), 1u);
  const auto& t = all.front();
  EXPECT_EQ(t.task.text, "T1");
  EXPECT_EQ(t.title, "Sing");
  EXPECT_EQ(t.state, "merged");
  EXPECT_EQ(t.why, "app#1 is merged");
  EXPECT_EQ(t.merged_sha, "cc");
  EXPECT_EQ(t.change.text, "app#1");
  EXPECT_EQ(t.session.text, "app-1");
  EXPECT_EQ(t.queued, 10s);
  EXPECT_EQ(t.worked, 70s);
  EXPECT_EQ(t.in_ci, 25s);
  EXPECT_EQ(t.in_review, 50s);
  EXPECT_EQ(t.runs, 2u);
  EXPECT_EQ(t.restarts.at("crash"), 1u);
  EXPECT_EQ(t.ci_failures, 1u);
  EXPECT_EQ(t.sent_back, 1u);
  EXPECT_EQ(t.conflicts, 1u);
  EXPECT_EQ(t.refused_duplicates, 1u);
}

TEST_F(Summary, CountsOnlyThePartWithinTheRange) {
  sum = summary{at(30), at(70)};
  whole_life();
  auto all = sum.tasks();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all.front().worked, 30s);
  EXPECT_EQ(all.front().queued, 0s);
  EXPECT_EQ(all.front().runs, 1u);
  EXPECT_EQ(all.front().ci_failures, 0u);
  EXPECT_EQ(all.front().state, "ready");
}

TEST_F(Summary, LeavesOutWhatNothingHappenedTo) {
  sum = summary{at(500), at(600)};
  whole_life();
  EXPECT_TRUE(sum.tasks().empty());
  EXPECT_EQ(sum.count(event_kind::merged), 0u);
}

TEST_F(Summary, WhatGoesOnCountsUpToTheEnd) {
  take(10, event_kind::agent_started, {{"run", 1}});
  EXPECT_EQ(sum.tasks().front().worked, 990s);
}

TEST_F(Summary, TellsChecksOfAHeadFromThoseOfItsMergedResult) {
  take(10, event_kind::ci_started, {{"sha", "aa"}});
  take(15, event_kind::ci_started, {{"sha", "aa"}, {"mergedResult", true}});
  take(20, event_kind::ci_passed, {{"sha", "aa"}});
  take(35, event_kind::ci_passed, {{"sha", "aa"}, {"mergedResult", true}});
  EXPECT_EQ(sum.tasks().front().in_ci, 30s);
}

TEST_F(Summary, TakesNoHarmFromDataThatIsNone) {
  event e;
  e.at = at(5);
  e.kind = event_kind::merged;
  for (const auto* data : {"", "[]", "{\"task\":7}", "{\"task\":\"x\"}"}) {
    e.data = data;
    sum.take(e);
  }
  EXPECT_TRUE(sum.tasks().empty());
  EXPECT_EQ(sum.count(event_kind::merged), 4u);
}

} // namespace
