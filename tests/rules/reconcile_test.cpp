#include "runtime/rules/reconcile.hpp"

#include <gtest/gtest.h>

#include <iterator>
#include <optional>

using namespace ao;

namespace {

session on(const char* node, epoch_no epoch, run_no run) {
  session s;
  s.id = session_id{"app-1"};
  s.node = node_name{node};
  s.epoch = epoch;
  s.run = run;
  s.runtime = runtime_state::alive;
  return s;
}

held_as standing(const char* node, epoch_no epoch, run_no run,
                 const session& row) {
  return standing_of(node_name{node}, epoch, run, &row);
}

TEST(Reconcile, AnUnknownSessionIsLost) {
  EXPECT_EQ(standing_of(node_name{"n1"}, 1, 1, nullptr), held_as::lost);
}

TEST(Reconcile, OnlyTheGrantAndTheNodeOfTheRecordsKeepARun) {
  auto row = on("n1", 3, 2);
  EXPECT_EQ(standing("n1", 3, 2, row), held_as::own);
  // The hub has started a later one, which ends it.
  EXPECT_EQ(standing("n1", 3, 1, row), held_as::own);
  EXPECT_EQ(standing("n2", 3, 2, row), held_as::lost);
  EXPECT_EQ(standing("n1", 2, 2, row), held_as::lost);
  // Of records that are older than the world.
  EXPECT_EQ(standing("n1", 4, 2, row), held_as::lost);
  EXPECT_EQ(standing("n1", 3, 3, row), held_as::lost);
}

/// `on("n2", 3, 4)`, which was on `n1` under epoch 2 until that was lost.
session moved(left_state state) {
  auto row = on("n2", 3, 4);
  row.left.emplace();
  row.left->node = node_name{"n1"};
  row.left->epoch = 2;
  row.left->run = 3;
  row.left->state = state;
  return row;
}

TEST(Reconcile, WhatIsLeftOnALostNodeIsNotLostUntilItIsDecided) {
  for (auto state :
       {left_state::away, left_state::compared, left_state::returns})
    EXPECT_EQ(standing("n1", 2, 3, moved(state)), held_as::left)
      << to_string(state);
  auto row = moved(left_state::away);
  // Of an older grant than the one that was lost, and of nodes that were not.
  EXPECT_EQ(standing("n1", 1, 1, row), held_as::lost);
  EXPECT_EQ(standing("n3", 2, 3, row), held_as::lost);
  EXPECT_EQ(standing("n2", 3, 4, row), held_as::own);
  EXPECT_EQ(standing("n2", 2, 3, row), held_as::lost);
  row.end = session_end::merged;
  EXPECT_EQ(standing("n1", 2, 3, row), held_as::lost);
}

TEST(Reconcile, WhatWaitsForItsOwnNodeHasNotLost) {
  for (auto state : {left_state::away, left_state::back}) {
    auto row = moved(state);
    row.node = node_name{"n1"};
    row.runtime = runtime_state::queued;
    EXPECT_EQ(standing("n1", 2, 3, row), held_as::left) << to_string(state);
  }
  // It was given back, and went elsewhere all the same.
  EXPECT_EQ(standing("n1", 2, 3, moved(left_state::back)), held_as::lost);
}

TEST(Reconcile, IsUnderWayBetweenTheReturnAndTheNewGrant) {
  EXPECT_FALSE(is_reconciled(moved(left_state::away)));
  EXPECT_TRUE(is_reconciled(moved(left_state::compared)));
  EXPECT_TRUE(is_reconciled(moved(left_state::returns)));
  EXPECT_FALSE(is_reconciled(moved(left_state::back)));
  EXPECT_FALSE(is_reconciled(on("n1", 1, 1)));
  auto over = moved(left_state::compared);
  over.end = session_end::killed;
  EXPECT_FALSE(is_reconciled(over));
}

worktree_facts tree(const char* head, std::uint64_t ahead, int files) {
  worktree_facts w;
  w.head_sha = head;
  w.ahead = ahead;
  w.dirty = files > 0;
  w.status_lines.resize(static_cast<std::size_t>(files), " M a");
  return w;
}

TEST(Reconcile, ScoresOnlyWhatASideHasOfItsOwn) {
  struct line {
    std::optional<worktree_facts> worktree;
    bool delivered;
    work_score score;
  };
  const line lines[] = {
    {std::nullopt, false, {work_rank::nothing, 0}},
    {tree("base", 0, 0), false, {work_rank::nothing, 0}},
    // What was pushed before the loss is the other one's, too.
    {tree("pushed", 2, 0), false, {work_rank::nothing, 0}},
    {tree("pushed", 2, 3), false, {work_rank::uncommitted, 3}},
    {tree("base", 0, 1), false, {work_rank::uncommitted, 1}},
    {tree("own", 3, 0), false, {work_rank::commits, 3}},
    {tree("own", 3, 5), false, {work_rank::commits, 3}},
    // Back at something that the base has.
    {tree("own", 0, 0), false, {work_rank::nothing, 0}},
    {tree("pushed", 2, 0), true, {work_rank::delivered, 0}},
    {std::nullopt, true, {work_rank::delivered, 0}},
  };
  for (const auto& x : lines) {
    auto got = score_of(x.worktree, "pushed", x.delivered);
    EXPECT_TRUE(got == x.score)
      << static_cast<int>(got.rank) << " " << got.amount;
  }
}

TEST(Reconcile, OrdersScoresByRankThenByAmount) {
  const work_score rising[]
    = {{work_rank::nothing, 0},     {work_rank::uncommitted, 1},
       {work_rank::uncommitted, 9}, {work_rank::commits, 1},
       {work_rank::commits, 2},     {work_rank::delivered, 0}};
  for (std::size_t a = 0; a < std::size(rising); ++a)
    for (std::size_t b = 0; b < std::size(rising); ++b)
      EXPECT_EQ(rising[a] < rising[b], a < b) << a << " " << b;
}

/// Every combination, against the table of `judge_return` said in other words.
TEST(Reconcile, JudgesEveryReturnByItsTable) {
  using policy = reconcile_policy;
  const std::optional<work_score> scores[]
    = {std::nullopt, work_score{work_rank::nothing, 0},
       work_score{work_rank::uncommitted, 2}, work_score{work_rank::commits, 1},
       work_score{work_rank::commits, 2}};
  int originals = 0;
  int looks = 0;
  for (auto by :
       {policy::keep_original, policy::keep_replacement, policy::best_score})
    for (const auto* closed : {"", "draining"})
      for (auto again : {false, true})
        for (auto delivered : {false, true})
          for (const auto& original : scores)
            for (const auto& replacement : scores) {
              return_facts facts;
              facts.policy = by;
              facts.closed = closed;
              facts.went_back = again;
              facts.delivered = delivered;
              facts.original = original;
              facts.replacement = replacement;
              auto got = judge_return(facts);
              auto may = by != policy::keep_replacement && !again
                && facts.closed.empty() && original && !delivered
                && (by == policy::keep_original
                    || original->rank != work_rank::nothing);
              if (!may) {
                ASSERT_TRUE(got);
                EXPECT_FALSE(got->original);
                EXPECT_FALSE(got->why.empty());
              } else if (!replacement) {
                EXPECT_FALSE(got);
                ++looks;
              } else {
                ASSERT_TRUE(got);
                auto wins
                  = by == policy::keep_original || !(*original < *replacement);
                EXPECT_EQ(got->original, wins) << got->why;
                EXPECT_FALSE(got->why.empty());
                originals += wins ? 1 : 0;
              }
            }
  // 4 of keep_original, 3 of best_score; and of these 16 and 2 + 3 + 4.
  EXPECT_EQ(looks, 7);
  EXPECT_EQ(originals, 25);
}

TEST(Reconcile, SaysWhatWasCompared) {
  return_facts facts;
  facts.policy = reconcile_policy::best_score;
  facts.original = work_score{work_rank::commits, 2};
  facts.replacement = work_score{work_rank::uncommitted, 1};
  EXPECT_EQ(judge_return(facts)->why,
            "best_score: 2 commits there, 1 changed file of the replacement");
  facts.closed = "cordoned";
  EXPECT_EQ(judge_return(facts)->why, "the node is cordoned");
}

TEST(Reconcile, SaysWhereTheWinnerIs) {
  auto text = [](const session* row) {
    return disowned_event(session_id{"app-1"}, 3, node_name{"n2"}, "refs/x",
                          row, wall_time{})
      .data;
  };
  auto going = moved(left_state::returns);
  EXPECT_NE(text(&going).find("app-1 goes back to n1; its work"),
            std::string::npos);
  auto gone = on("n1", 4, 5);
  EXPECT_NE(text(&gone).find("app-1 went on under epoch 4"), std::string::npos);
  EXPECT_NE(text(nullptr).find("the hub does not know app-1"),
            std::string::npos);
}

TEST(Reconcile, ADrainWaitsForWhatMayStillBeAtWork) {
  auto s = on("n1", 1, 1);
  for (auto runtime : {runtime_state::queued, runtime_state::provisioning,
                       runtime_state::starting, runtime_state::alive,
                       runtime_state::exited, runtime_state::lost}) {
    s.runtime = runtime;
    EXPECT_TRUE(holds_node(s)) << to_string(runtime);
  }
  // For a person; one that the hub has parked is on its way elsewhere.
  s.runtime = runtime_state::parked;
  EXPECT_FALSE(holds_node(s));
  s.resume = resume_reason::hub;
  EXPECT_TRUE(holds_node(s));
}

TEST(Reconcile, ADrainWaitsForNothingThatIsOverOrNeverWasThere) {
  auto s = on("n1", 1, 1);
  s.end = session_end::merged;
  EXPECT_TRUE(holds_node(s)); // its agent is being stopped
  s.runtime = runtime_state::exited;
  EXPECT_FALSE(holds_node(s));
  auto fresh = on("n1", 1, 0);
  fresh.runtime = runtime_state::queued;
  EXPECT_FALSE(holds_node(fresh));
  auto manual = on("n1", 1, 1);
  manual.role = session_role::manual;
  EXPECT_FALSE(holds_node(manual));
}

TEST(Reconcile, KnowsTheRefsOfLosers) {
  EXPECT_TRUE(is_parked_ref("refs/ao/parked/app-1/e1-r1"));
  EXPECT_FALSE(is_parked_ref("refs/ao/rescue/app-1/20261123T200000123Z"));
  EXPECT_EQ(parked_ref_in({"refs/ao/parked/a/e1-r1", "refs/ao/rescue/a/x"}),
            "refs/ao/parked/a/e1-r1");
  EXPECT_EQ(parked_ref_in({"refs/ao/rescue/a/x"}), "");
}

} // namespace
