#include "runtime/rules/change_texts.hpp"
#include "runtime/rules/changes.hpp"
#include "tests/support/effects.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

using namespace ao;
using namespace std::chrono_literals;
using testing::HasSubstr;

namespace {

const std::string head = "aaaaaaaaaaaaaaaaaaaa";
const std::string later = "bbbbbbbbbbbbbbbbbbbb";
const std::string merge_sha = "cccccccccccccccccccc";

change_watch born() {
  change_watch w;
  w.row.id = change_id{"app#1"};
  w.row.version = 1;
  w.row.session = session_id{"app-1"};
  w.row.task = task_id{"T1"};
  w.row.epoch = 1;
  w.row.branch = "ao/app-1";
  w.row.base = "main";
  w.row.head_sha = head;
  return w;
}

ci_ended ended(std::string sha, bool passed, bool merged_result = false) {
  ci_ended x;
  x.sha = std::move(sha);
  x.passed = passed;
  x.merged_result = merged_result;
  x.exit_code = passed ? 0 : 2;
  x.cause = "exited";
  x.log_tail = {"boom"};
  return x;
}

/// A change of which every step is committed at once.
class Change : public testing::Test {
protected:
  Change() { policy.ci_command = {"make", "test"}; }

  const change_step& feed(const change_input& input) {
    step = next_change(watch, input, policy, now);
    watch = step.next;
    return step;
  }

  template <class T>
  const T* effect() const {
    return effect_in<T>(step.effects);
  }

  bool saw(event_kind kind) const {
    for (const auto& e : step.events)
      if (e.kind == kind)
        return true;
    return false;
  }

  /// To the point where the queue works on it.
  void merging() {
    feed(change_recovered{});
    feed(ended(head, true));
    feed(merge_began{});
    feed(merge_prepared{merge_sha});
    ASSERT_EQ(watch.row.merge, merge_state::merging);
  }

  change_watch watch = born();
  change_policy policy;
  wall_time now{milliseconds{1000000}};
  change_step step;
};

} // namespace

TEST_F(Change, RunsCiOnItsHeadOnce) {
  feed(change_recovered{});
  ASSERT_NE(effect<run_ci>(), nullptr);
  EXPECT_EQ(effect<run_ci>()->sha, head);
  EXPECT_EQ(watch.runs.size(), 1u);
  // After a crash it is asked for again and adopted by its key.
  feed(change_recovered{});
  EXPECT_NE(effect<run_ci>(), nullptr);
  EXPECT_TRUE(step.rows.empty());
  feed(ci_began{head, false, "/ci/x"});
  EXPECT_TRUE(saw(event_kind::ci_started));
  EXPECT_EQ(watch.row.ci, ci_state::running);
}

TEST_F(Change, IsQueuedWhenItsChecksPass) {
  feed(change_recovered{});
  feed(ended(head, true));
  EXPECT_TRUE(saw(event_kind::ci_passed));
  EXPECT_TRUE(saw(event_kind::merge_queued));
  EXPECT_NE(effect<enqueue_merge>(), nullptr);
  EXPECT_NE(effect<report_recovery>(), nullptr);
  EXPECT_FALSE(feed(ended(head, true)).dropped.empty());
}

TEST_F(Change, FollowsWhoeverTakesItOver) {
  feed(change_recovered{});
  feed(holder_moved{session_id{"app-2"}, 2});
  EXPECT_EQ(watch.row.session.text, "app-2");
  EXPECT_EQ(watch.row.epoch, 2u);
  EXPECT_TRUE(saw(event_kind::change_taken_over));
  EXPECT_NE(effect<tell_owners>(), nullptr);
  EXPECT_THAT(step.events.front().data, HasSubstr(R"("from":"app-1")"));
  // Told again, or late.
  EXPECT_FALSE(feed(holder_moved{session_id{"app-2"}, 2}).dropped.empty());
  EXPECT_FALSE(feed(holder_moved{session_id{"app-1"}, 1}).dropped.empty());
  EXPECT_EQ(watch.row.session.text, "app-2");
  // What the former holder has pushed at last is of an older epoch.
  EXPECT_FALSE(feed(head_moved{later, 1}).dropped.empty());
  feed(head_moved{later, 2});
  EXPECT_EQ(watch.row.head_sha, later);
}

TEST_F(Change, TellsItsNewHolderWhatIsWrong) {
  feed(change_recovered{});
  feed(ended(head, false));
  feed(holder_moved{session_id{"app-2"}, 2});
  ASSERT_NE(effect<retell_failure>(), nullptr);
  EXPECT_EQ(effect<retell_failure>()->sha, head);
  feed(review_given{review_state::changes_requested, "", "no"});
  feed(holder_moved{session_id{"app-3"}, 3});
  ASSERT_NE(effect<report_failure>(), nullptr);
  EXPECT_EQ(effect<report_failure>()->cause, incident_cause::changes_requested);
}

TEST_F(Change, ThatIsMergedIsNotTakenOver) {
  merging();
  feed(merge_done{merge_sha});
  EXPECT_FALSE(feed(holder_moved{session_id{"app-2"}, 2}).dropped.empty());
  EXPECT_EQ(watch.row.session.text, "app-1");
}

TEST_F(Change, PassesWithoutCi) {
  policy.ci_command.clear();
  feed(change_recovered{});
  EXPECT_EQ(watch.row.ci, ci_state::none);
  EXPECT_EQ(effect<run_ci>(), nullptr);
  EXPECT_NE(effect<enqueue_merge>(), nullptr);
}

TEST_F(Change, ReportsAFailureOncePerHead) {
  feed(change_recovered{});
  feed(ended(head, false));
  EXPECT_TRUE(saw(event_kind::ci_failed));
  ASSERT_NE(effect<report_failure>(), nullptr);
  EXPECT_EQ(effect<report_failure>()->cause, incident_cause::ci_failed);
  EXPECT_THAT(effect<report_failure>()->text,
              testing::StartsWith("CI failed on aaaaaaaaaaaa: make test "
                                  "exited 2\n"));
  feed(ended(head, false));
  // The same again, for one who may have lost it: told under the same key.
  EXPECT_TRUE(step.events.empty());
  ASSERT_NE(effect<report_failure>(), nullptr);
  EXPECT_EQ(effect<report_failure>()->sha, head);
  EXPECT_TRUE(step.rows.empty());
}

TEST_F(Change, RunsItsFirstFailureOnceMoreWhereThatIsWanted) {
  policy.ci_rerun = true;
  feed(change_recovered{});
  feed(ended(head, false));
  EXPECT_TRUE(saw(event_kind::ci_rerun));
  EXPECT_FALSE(saw(event_kind::ci_failed));
  EXPECT_EQ(effect<report_failure>(), nullptr);
  ASSERT_NE(effect<run_ci>(), nullptr);
  EXPECT_EQ(watch.row.ci, ci_state::pending);
  // The same word again is about the run before.
  EXPECT_FALSE(feed(ended(head, false)).dropped.empty());
  feed(change_recovered{});
  EXPECT_NE(effect<run_ci>(), nullptr);
  auto again = ended(head, false);
  again.attempt = 2;
  feed(again);
  EXPECT_TRUE(saw(event_kind::ci_failed));
  EXPECT_NE(effect<report_failure>(), nullptr);
  // What fails after that is no flake.
  feed(head_moved{later, 1});
  feed(ended(later, false));
  EXPECT_TRUE(saw(event_kind::ci_failed));
}

TEST_F(Change, ThatWasAFlakeIsMergedWithoutAWord) {
  policy.ci_rerun = true;
  feed(change_recovered{});
  feed(ended(head, false));
  auto again = ended(head, true);
  again.attempt = 2;
  feed(again);
  EXPECT_TRUE(saw(event_kind::ci_passed));
  EXPECT_NE(effect<enqueue_merge>(), nullptr);
  // The merged result has no flake left to be excused for.
  feed(merge_began{});
  feed(merge_prepared{merge_sha});
  feed(ended(merge_sha, false, true));
  EXPECT_NE(effect<report_failure>(), nullptr);
}

TEST_F(Change, FindsAFailureAgainThatMayNotHaveBeenTold) {
  feed(change_recovered{});
  feed(ended(head, false));
  auto told = *effect<report_failure>();
  feed(change_recovered{});
  ASSERT_NE(effect<retell_failure>(), nullptr);
  EXPECT_EQ(effect<retell_failure>()->sha, head);
  feed(ended(head, false));
  ASSERT_NE(effect<report_failure>(), nullptr);
  EXPECT_EQ(effect<report_failure>()->sha, told.sha);
  EXPECT_EQ(effect<report_failure>()->text, told.text);
  feed(head_moved{later, 1});
  feed(change_recovered{});
  EXPECT_EQ(effect<retell_failure>(), nullptr);
}

TEST_F(Change, WaitsForABaseThatFailsItself) {
  feed(change_recovered{});
  feed(ended(head, false));
  EXPECT_FALSE(feed(base_seen_red{later}).dropped.empty());
  feed(base_seen_red{head});
  EXPECT_EQ(watch.row.blame, ci_blame::base);
  EXPECT_FALSE(feed(base_seen_red{head}).dropped.empty());
  // Nobody is told of it again, not even after a crash.
  feed(change_recovered{});
  EXPECT_EQ(effect<retell_failure>(), nullptr);
  EXPECT_EQ(effect<enqueue_merge>(), nullptr);
  feed(base_seen_green{});
  EXPECT_EQ(watch.row.blame, ci_blame::excused);
  EXPECT_NE(effect<enqueue_merge>(), nullptr);
  EXPECT_FALSE(feed(base_seen_green{}).dropped.empty());
  // What counts is the merged result.
  feed(merge_began{});
  feed(merge_prepared{merge_sha});
  ASSERT_NE(effect<run_ci>(), nullptr);
  feed(ended(merge_sha, false, true));
  EXPECT_EQ(watch.row.blame, ci_blame::own);
  ASSERT_NE(effect<report_failure>(), nullptr);
  EXPECT_EQ(effect<report_failure>()->sha, merge_sha);
}

TEST_F(Change, ThatIsExcusedWaitsForItsReviewAllTheSame) {
  policy.require_review = true;
  feed(change_recovered{});
  feed(ended(head, false));
  feed(base_seen_red{head});
  feed(base_seen_green{});
  EXPECT_EQ(effect<enqueue_merge>(), nullptr);
  feed(review_given{review_state::approved, {}, {}, "api", {}});
  EXPECT_NE(effect<enqueue_merge>(), nullptr);
}

TEST_F(Change, WithANewHeadIsJudgedAnew) {
  feed(change_recovered{});
  feed(ended(head, false));
  feed(base_seen_red{head});
  feed(head_moved{later, 1});
  EXPECT_EQ(watch.row.blame, ci_blame::own);
  feed(ended(later, false));
  EXPECT_NE(effect<report_failure>(), nullptr);
}

TEST_F(Change, FindsTheRedMergedResultAgain) {
  merging();
  feed(ended(merge_sha, false, true));
  EXPECT_THAT(effect<report_failure>()->text, HasSubstr("merge origin/main"));
  feed(change_recovered{});
  ASSERT_NE(effect<retell_failure>(), nullptr);
  EXPECT_EQ(effect<retell_failure>()->sha, merge_sha);
  EXPECT_TRUE(effect<retell_failure>()->merged_result);
  feed(ended(merge_sha, false, true));
  EXPECT_NE(effect<report_failure>(), nullptr);
  EXPECT_TRUE(step.events.empty());
}

TEST_F(Change, TellsAConflictAgainAfterACrash) {
  merging();
  feed(merge_conflicted{{"a.cpp"}});
  auto text = effect<report_failure>()->text;
  EXPECT_THAT(text, HasSubstr("a.cpp"));
  feed(change_recovered{});
  ASSERT_NE(effect<report_failure>(), nullptr);
  EXPECT_EQ(effect<report_failure>()->text, text);
}

TEST_F(Change, DropsTheVerdictOnAnOlderHead) {
  feed(change_recovered{});
  feed(head_moved{later, 1});
  EXPECT_NE(effect<cancel_ci>(), nullptr);
  EXPECT_EQ(effect<run_ci>()->sha, later);
  EXPECT_FALSE(feed(ended(head, false)).dropped.empty());
  EXPECT_EQ(watch.row.ci, ci_state::pending);
}

TEST_F(Change, KnowsTheVerdictOfAHeadThatComesBack) {
  feed(change_recovered{});
  feed(ended(head, false));
  feed(head_moved{later, 1});
  feed(head_moved{head, 1});
  EXPECT_EQ(watch.row.ci, ci_state::failed);
  EXPECT_EQ(effect<run_ci>(), nullptr);
  EXPECT_FALSE(saw(event_kind::ci_failed));
  feed(head_moved{later, 1});
  EXPECT_EQ(effect<run_ci>()->sha, later);
}

TEST_F(Change, RefusesAHeadOfAnOlderEpoch) {
  watch.row.epoch = 4;
  EXPECT_FALSE(feed(head_moved{later, 3}).dropped.empty());
  EXPECT_EQ(watch.row.head_sha, head);
}

TEST_F(Change, WaitsForTheReviewWhereOneIsRequired) {
  policy.require_review = true;
  feed(change_recovered{});
  feed(ended(head, true));
  EXPECT_EQ(watch.row.merge, merge_state::idle);
  EXPECT_FALSE(
    feed(review_given{review_state::approved, later, ""}).dropped.empty());
  feed(review_given{review_state::changes_requested, head, "Rename it"});
  EXPECT_EQ(effect<report_failure>()->cause, incident_cause::changes_requested);
  EXPECT_THAT(effect<report_failure>()->text, HasSubstr("```\nRename it\n"));
  feed(review_given{review_state::approved, head, ""});
  EXPECT_NE(effect<enqueue_merge>(), nullptr);
}

TEST_F(Change, IsMergedByHandWhereNotByItself) {
  policy.merge_auto = false;
  feed(change_recovered{});
  feed(merge_wanted{});
  ASSERT_TRUE(step.refused);
  EXPECT_EQ(to_string(*step.refused),
            "wrong_state: app#1 cannot be merged: its checks are pending");
  feed(ended(head, true));
  EXPECT_EQ(effect<enqueue_merge>(), nullptr);
  // Said once of a head.
  EXPECT_TRUE(saw(event_kind::merge_ready));
  feed(change_recovered{});
  EXPECT_FALSE(saw(event_kind::merge_ready));
  feed(merge_wanted{});
  EXPECT_NE(effect<enqueue_merge>(), nullptr);
  feed(merge_wanted{});
  EXPECT_FALSE(step.refused);
  feed(merge_began{});
  feed(merge_conflicted{{"a.txt"}});
  feed(merge_wanted{});
  EXPECT_EQ(step.refused->context, "app#1 has a conflict in a.txt");
}

TEST_F(Change, TestsTheMergedResultAndTellsTheQueue) {
  merging();
  ASSERT_NE(effect<run_ci>(), nullptr);
  EXPECT_TRUE(effect<run_ci>()->merged_result);
  feed(ended(merge_sha, true, true));
  ASSERT_NE(effect<tell_queue>(), nullptr);
  EXPECT_TRUE(effect<tell_queue>()->passed);
  feed(merge_done{merge_sha});
  EXPECT_EQ(watch.row.state, change_state::merged);
  EXPECT_EQ(watch.row.merged_sha, merge_sha);
  EXPECT_TRUE(saw(event_kind::merged));
  EXPECT_FALSE(feed(merge_done{merge_sha}).dropped.empty());
}

TEST_F(Change, NeedsNoSecondRunForTheSameCommit) {
  feed(change_recovered{});
  feed(ended(head, true));
  feed(merge_prepared{head});
  EXPECT_EQ(effect<run_ci>(), nullptr);
  EXPECT_TRUE(effect<tell_queue>()->passed);
}

TEST_F(Change, FailsTheLaterOneWhenOnlyTheMergeIsRed) {
  merging();
  feed(ended(merge_sha, false, true));
  EXPECT_EQ(watch.row.ci, ci_state::failed);
  EXPECT_EQ(watch.row.merge, merge_state::idle);
  EXPECT_FALSE(effect<tell_queue>()->passed);
  EXPECT_THAT(effect<report_failure>()->text, HasSubstr("merged with"));
  EXPECT_TRUE(saw(event_kind::ci_failed));
  feed(head_moved{later, 1});
  EXPECT_EQ(watch.row.ci, ci_state::pending);
}

TEST_F(Change, GivesAConflictBackToItsOwner) {
  merging();
  feed(merge_conflicted{{"a.cpp", "b.cpp"}});
  EXPECT_EQ(watch.row.merge_reason, "conflict in a.cpp, b.cpp");
  EXPECT_EQ(effect<report_failure>()->cause, incident_cause::conflict);
  EXPECT_TRUE(feed(merge_conflicted{{"a.cpp"}}).events.empty());
  feed(head_moved{later, 1});
  feed(ended(later, true));
  EXPECT_NE(effect<enqueue_merge>(), nullptr);
}

TEST_F(Change, QueuesAgainWhenTheBaseMovedMeanwhile) {
  merging();
  feed(merge_raced{});
  EXPECT_EQ(watch.row.merge, merge_state::queued);
  EXPECT_NE(effect<enqueue_merge>(), nullptr);
}

TEST_F(Change, TakesItsPlaceInTheQueueAgainAfterACrash) {
  merging();
  feed(change_recovered{});
  EXPECT_NE(effect<enqueue_merge>(), nullptr);
  EXPECT_EQ(watch.row.merge, merge_state::queued);
}

TEST_F(Change, IsClosedWithoutAMerge) {
  feed(change_recovered{});
  feed(change_dropped{"not wanted"});
  EXPECT_TRUE(saw(event_kind::change_closed));
  EXPECT_NE(effect<cancel_ci>(), nullptr);
  EXPECT_FALSE(feed(head_moved{later, 1}).dropped.empty());
}

TEST_F(Change, BelievesTheForgeThatRunsChecksAgain) {
  policy.external_ci = true;
  feed(change_recovered{});
  EXPECT_EQ(effect<run_ci>(), nullptr);
  feed(ended(head, false));
  EXPECT_FALSE(feed(ended(head, false)).dropped.empty());
  feed(ended(head, true));
  EXPECT_EQ(watch.row.ci, ci_state::passed);
}

TEST(CiFailureText, FencesTheLastHundredLinesWithAFenceTheyCannotClose) {
  ci_run run;
  run.sha = head;
  run.command = {"sh", "-c", "make test; it's"};
  run.exit_code = 2;
  std::vector<std::string> log;
  for (int i = 0; i < 150; ++i)
    log.push_back("line " + std::to_string(i));
  log.back() = "````";
  auto text = ci_failure_text(run, log);
  EXPECT_THAT(text,
              testing::StartsWith("CI failed on aaaaaaaaaaaa: sh -c "
                                  "'make test; it'\\''s' exited 2\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("line 49\n")));
  EXPECT_THAT(text, HasSubstr("`````\nline 50\n"));
  EXPECT_THAT(text, HasSubstr("\n`````\nFix the cause"));
}

TEST(CiFailureText, SaysATimeout) {
  ci_run run;
  run.sha = head;
  run.command = {"make"};
  run.cause = "timed_out";
  run.started_at = wall_time{1000ms};
  run.finished_at = wall_time{601234ms};
  EXPECT_THAT(ci_failure_text(run, {}),
              testing::StartsWith("CI failed on aaaaaaaaaaaa: make timed out "
                                  "after 10m\n"));
}

RC_GTEST_PROP(ChangeProperty, SaysEachVerdictOncePerHeadAndMergesOnlyGreen,
              ()) {
  auto picks = *rc::gen::resize(
    150,
    rc::gen::container<std::vector<std::pair<int, int>>>(
      rc::gen::pair(rc::gen::inRange(0, 15), rc::gen::inRange(0, 3))));
  change_policy policy;
  policy.require_review = *rc::gen::arbitrary<bool>();
  policy.ci_command = {"make"};
  auto watch = born();
  std::set<std::string> verdicts;
  const std::string shas[] = {head, later, merge_sha};
  for (const auto& [which, n] : picks) {
    const auto& sha = shas[n];
    const change_input inputs[] = {
      change_recovered{},
      head_moved{sha, 1},
      head_moved{sha, 0},
      ci_began{sha, false, ""},
      ended(sha, true),
      ended(sha, false),
      ended(sha, true, true),
      ended(sha, false, true),
      review_given{review_state::approved, sha, ""},
      review_given{review_state::changes_requested, "", "no"},
      merge_wanted{},
      merge_began{},
      merge_prepared{sha},
      merge_conflicted{{"a"}},
      merge_raced{},
    };
    const auto& in = inputs[which];
    auto step = next_change(watch, in, policy, wall_time{});
    auto queued = [](const change_watch& w) {
      return w.row.merge == merge_state::queued
        || w.row.merge == merge_state::merging;
    };
    for (const auto& e : step.events)
      if (e.kind == event_kind::ci_passed || e.kind == event_kind::ci_failed)
        RC_ASSERT(verdicts.insert(e.data).second);
    if (queued(step.next)) {
      RC_ASSERT(step.next.row.ci == ci_state::passed);
      if (policy.require_review)
        RC_ASSERT(step.next.row.review == review_state::approved);
    }
    RC_ASSERT(
      step.dropped.empty()
      || (step.rows.empty() && step.events.empty() && step.effects.empty()));
    for (const auto& r : step.rows) {
      if (auto c = std::get_if<change>(&r))
        RC_ASSERT(c->version == watch.row.version + 1);
      if (auto run = std::get_if<ci_run>(&r)) {
        auto was = watch.runs.find(run->key);
        RC_ASSERT(run->version
                  == (was == watch.runs.end() ? 1 : was->second.version + 1));
      }
    }
    watch = step.next;
  }
}
