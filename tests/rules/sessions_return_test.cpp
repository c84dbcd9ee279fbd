// A session whose node was lost went elsewhere, and the node is back.

#include "runtime/rules/reconcile.hpp"
#include "runtime/rules/sessions.hpp"
#include "tests/support/effects.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace ao;
using testing::HasSubstr;

namespace {

const node_name there{"n1"};
const node_name here{"n2"};

worktree_facts tree(const char* head, std::uint64_t ahead, bool dirty = false) {
  worktree_facts w;
  w.head_sha = head;
  w.ahead = ahead;
  w.dirty = dirty;
  if (dirty)
    w.status_lines = {" M a"};
  return w;
}

/// At run 1 under epoch 1 on `n1`, of which every step is committed at once.
class SessionReturn : public testing::Test {
protected:
  SessionReturn() {
    auto& s = state.row;
    s.id = session_id{"app-1"};
    s.version = 1;
    s.project = project_id{"app"};
    s.task = task_id{"T1"};
    s.subject = "T1";
    s.epoch = 1;
    feed(slot_granted{there});
    live();
  }

  const session_step& feed(const session_input& input) {
    step = next_session(state, input, context);
    EXPECT_EQ(step.changed, !(step.next.row.version == row().version));
    state = step.next;
    return step;
  }

  const session_step& fact(session_fact f) {
    return feed(session_report{row().epoch, row().run, 0, std::move(f)});
  }

  void live() {
    agent_alive x;
    x.agent_pid = 100 + static_cast<int>(row().run);
    x.shim_pid = 10;
    fact(x);
    ASSERT_EQ(row().runtime, runtime_state::alive);
  }

  void lose() {
    feed(node_gone{row().node.text + " is lost"});
    feed(restore_session{row().epoch + 1, row().node, resume_reason::restore,
                         "pushed"});
    ASSERT_EQ(row().runtime, runtime_state::queued);
  }

  /// Lost, and alive on `n2` under epoch 2.
  void move() {
    lose();
    feed(slot_granted{here});
    live();
  }

  original_back back(std::optional<worktree_facts> found
                     = tree("pushed", 1, true)) {
    return {there, 1, 1, std::move(found), "pushed", {}};
  }

  /// The replacement is stopped, and this is what it has.
  void stopped(std::optional<worktree_facts> found) {
    run_stopped end;
    end.worktree = std::move(found);
    fact(end);
  }

  template <class T>
  const T* effect() const {
    return effect_in<T>(step.effects);
  }

  std::string said(event_kind kind) const {
    for (const auto& e : step.events)
      if (e.kind == kind)
        return e.data;
    return {};
  }

  const session& row() const { return state.row; }

  session_state state;
  session_context context;
  session_step step;
};

TEST_F(SessionReturn, RemembersWhatItHasLeftOnALostNode) {
  lose();
  ASSERT_TRUE(row().left);
  EXPECT_EQ(row().left->node, there);
  EXPECT_EQ(row().left->epoch, 1u);
  EXPECT_EQ(row().left->run, 1u);
  EXPECT_EQ(row().left->head, "pushed");
  EXPECT_EQ(row().left->state, left_state::away);
}

TEST_F(SessionReturn, RemembersNothingOfADrain) {
  feed(park_session{"its node is drained", true});
  fact(run_stopped{});
  feed(restore_session{2, there, resume_reason::hub, {}});
  EXPECT_FALSE(row().left);
}

TEST_F(SessionReturn, GoesOnWhereItWasWhenItHasNoOtherPlaceYet) {
  lose();
  EXPECT_THAT(feed(back()).dropped, HasSubstr("is on n1"));
  EXPECT_EQ(effect<disown_run>(), nullptr);
  feed(slot_granted{there});
  live();
  EXPECT_FALSE(row().left);
  EXPECT_FALSE(row().went_back);
  EXPECT_EQ(row().epoch, 2u);
}

TEST_F(SessionReturn, IsLostAgainBeforeItCameToLife) {
  lose();
  auto before = *row().left;
  feed(restore_session{3, there, resume_reason::restore, "later"});
  EXPECT_EQ(row().left->epoch, before.epoch);
  EXPECT_EQ(row().left->head, before.head);
}

TEST_F(SessionReturn, GoesBackWithItsWork) {
  move();
  feed(back());
  EXPECT_EQ(row().runtime, runtime_state::parked);
  EXPECT_TRUE(is_reconciled(row()));
  ASSERT_NE(effect<stop_run>(), nullptr);
  EXPECT_EQ(effect<stop_run>()->run, 2u);
  stopped(tree("pushed", 1));
  ASSERT_NE(effect<compare_work>(), nullptr);
  EXPECT_EQ(row().agent_pid, 0);
  feed(work_compared{"pushed", {}, true});
  EXPECT_EQ(row().left->state, left_state::returns);
  EXPECT_NE(effect<stop_run>(), nullptr) << "its work is put under a ref";
  EXPECT_THAT(said(event_kind::session_reconciled),
              HasSubstr("\"kept\":\"original\""));
  EXPECT_EQ(row().node, here);
  fact(cleaned_up{});
  EXPECT_NE(effect<take_back>(), nullptr);
  feed(restore_session{3, there, resume_reason::hub, {}});
  EXPECT_EQ(row().runtime, runtime_state::queued);
  EXPECT_EQ(row().node, there);
  EXPECT_TRUE(row().went_back);
  feed(slot_granted{there});
  EXPECT_EQ(row().run, 3u);
  EXPECT_EQ(row().resume, resume_reason::hub);
  live();
  EXPECT_FALSE(row().left);
}

TEST_F(SessionReturn, DoesAgainWhatARestartOfTheHubHasLeftUndone) {
  move();
  feed(back());
  feed(session_recovered{});
  EXPECT_NE(effect<stop_run>(), nullptr);
  stopped(tree("pushed", 1));
  feed(session_recovered{});
  EXPECT_NE(effect<stop_run>(), nullptr) << "nobody has compared";
  stopped(tree("pushed", 1));
  EXPECT_NE(effect<compare_work>(), nullptr);
  EXPECT_FALSE(step.changed);
  feed(work_compared{"pushed", {}, true});
  feed(session_recovered{});
  EXPECT_NE(effect<stop_run>(), nullptr);
  fact(cleaned_up{});
  EXPECT_NE(effect<take_back>(), nullptr);
  EXPECT_FALSE(step.changed);
}

TEST_F(SessionReturn, AskedAgainWhileItComparesItGoesOnComparing) {
  move();
  feed(back());
  EXPECT_THAT(feed(back()).dropped, HasSubstr("is being compared"));
  EXPECT_EQ(feed(restore_session{}).refused->code, ec::wrong_state);
  EXPECT_EQ(
    feed(restore_session{3, here, resume_reason::hub, {}}).refused->code,
    ec::wrong_state);
}

TEST_F(SessionReturn, StaysWhenItHasDelivered) {
  move();
  auto x = back();
  x.head = "its own";
  feed(x);
  EXPECT_EQ(row().runtime, runtime_state::alive) << "it does not notice";
  EXPECT_FALSE(row().left);
  ASSERT_NE(effect<disown_run>(), nullptr);
  EXPECT_EQ(effect<disown_run>()->node, there);
  EXPECT_EQ(effect<disown_run>()->epoch, 1u);
  EXPECT_THAT(said(event_kind::session_reconciled),
              HasSubstr("the replacement has delivered"));
}

TEST_F(SessionReturn, StaysWhenItsAgentHasCompletedItsTurn) {
  move();
  exit_info done;
  done.code = 0;
  done.cause = "exited";
  fact(agent_ended{done, tree("its own", 2)});
  feed(back());
  EXPECT_EQ(row().runtime, runtime_state::exited);
  EXPECT_FALSE(row().left);
}

TEST_F(SessionReturn, StaysWhenItDeliversWhileItIsStopped) {
  move();
  feed(back());
  stopped(tree("its own", 2));
  feed(work_compared{"its own", {}, true});
  EXPECT_EQ(row().runtime, runtime_state::queued);
  EXPECT_EQ(row().resume, resume_reason::hub);
  EXPECT_EQ(row().node, here);
  EXPECT_EQ(row().epoch, 2u);
  EXPECT_NE(effect<disown_run>(), nullptr);
}

TEST_F(SessionReturn, ComparesWhatBothHaveByScore) {
  context.policy.reconcile = reconcile_policy::best_score;
  move();
  feed(back(tree("there", 2)));
  ASSERT_TRUE(is_reconciled(row()));
  auto compared = state;
  stopped(tree("here", 2));
  feed(work_compared{"pushed", {}, true});
  EXPECT_EQ(row().left->state, left_state::returns) << "a tie";
  state = compared;
  stopped(tree("here", 3));
  feed(work_compared{"pushed", {}, true});
  EXPECT_EQ(row().runtime, runtime_state::queued);
  EXPECT_FALSE(row().left);
}

TEST_F(SessionReturn, IsNotStoppedForNothing) {
  move();
  auto moved = state;
  auto keeps = [&](const original_back& x, const char* why) {
    state = moved;
    feed(x);
    EXPECT_EQ(row().runtime, runtime_state::alive) << why;
    EXPECT_FALSE(row().left) << why;
    EXPECT_THAT(said(event_kind::session_reconciled), HasSubstr(why));
    EXPECT_NE(effect<disown_run>(), nullptr) << why;
  };
  keeps(back(std::nullopt), "nothing is left there");
  auto drained = back();
  drained.closed = "draining";
  keeps(drained, "the node is draining");
  context.policy.reconcile = reconcile_policy::best_score;
  keeps(back(tree("pushed", 1)), "best_score: nothing there");
  context.policy.reconcile = reconcile_policy::keep_replacement;
  keeps(back(), "keep_replacement");
}

TEST_F(SessionReturn, GoesBackOnce) {
  move();
  feed(back());
  stopped(std::nullopt);
  feed(work_compared{"pushed", {}, true});
  fact(cleaned_up{});
  feed(restore_session{3, there, resume_reason::hub, {}});
  feed(slot_granted{there});
  live();
  move();
  EXPECT_EQ(row().epoch, 4u);
  feed(original_back{there, 3, 3, tree("x", 9), "pushed", {}});
  EXPECT_EQ(row().runtime, runtime_state::alive);
  EXPECT_THAT(said(event_kind::session_reconciled),
              HasSubstr("it has gone back once before"));
}

TEST_F(SessionReturn, StaysWhenItsOwnNodeIsLostMeanwhile) {
  move();
  feed(back());
  feed(node_gone{"n2 is lost"});
  EXPECT_EQ(row().runtime, runtime_state::lost);
  EXPECT_FALSE(row().left);
  EXPECT_NE(effect<disown_run>(), nullptr);
  feed(restore_session{3, here, resume_reason::restore, "pushed"});
  EXPECT_EQ(row().left->node, here);
}

TEST_F(SessionReturn, WaitsForAPersonWhenItsClaimWasGivenBack) {
  move();
  feed(back());
  stopped(std::nullopt);
  feed(work_compared{{}, {}, false});
  EXPECT_EQ(row().runtime, runtime_state::parked);
  EXPECT_FALSE(parked_by_hub(row()));
  EXPECT_FALSE(row().left);
}

TEST_F(SessionReturn, HasWhatItLeftParkedWhenItEnds) {
  move();
  feed(change_told{change_id{"app#1"}, change_state::merged});
  ASSERT_NE(effect<disown_run>(), nullptr);
  EXPECT_FALSE(row().left);
  feed(back());
  EXPECT_NE(effect<disown_run>(), nullptr) << "it had not been there to hear";
}

TEST_F(SessionReturn, CanBeKilledAtAnyMoment) {
  move();
  feed(back());
  auto compared = state;
  stopped(std::nullopt);
  feed(work_compared{"pushed", {}, true});
  for (const auto& at : {compared, state}) {
    state = at;
    feed(kill_session{"killed"});
    EXPECT_EQ(row().end, session_end::killed);
    EXPECT_NE(effect<stop_run>(), nullptr);
    EXPECT_NE(effect<disown_run>(), nullptr);
    EXPECT_FALSE(row().left);
  }
}

} // namespace
