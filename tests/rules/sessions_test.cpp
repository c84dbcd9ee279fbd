#include "runtime/rules/sessions.hpp"
#include "tests/support/effects.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace ao;
using namespace std::chrono_literals;
using testing::HasSubstr;

namespace {

exit_info exited(int code, std::string failure = {}) {
  exit_info e;
  e.code = code;
  e.cause = "exited";
  e.failure = std::move(failure);
  return e;
}

worktree_facts commits(std::uint64_t ahead) {
  worktree_facts w;
  w.head_sha = "abc";
  w.ahead = ahead;
  return w;
}

/// A session of which every step is committed at once.
class Session : public testing::Test {
protected:
  Session() {
    session s;
    s.id = session_id{"app-1"};
    s.version = 1;
    s.project = project_id{"app"};
    s.task = task_id{"T1"};
    s.subject = "T1";
    s.epoch = 1;
    s.agent = "scripted";
    state.row = s;
    context.policy.restart.jitter = 0;
    context.now = wall_time{milliseconds{1000000}};
  }

  const session_step& feed(const session_input& input) {
    step = next_session(state, input, context);
    EXPECT_EQ(step.changed, !(step.next.row.version == row().version));
    state = step.next;
    return step;
  }

  const session_step& fact(session_fact f) {
    return feed(session_report{row().epoch, row().run, ++seq, std::move(f)});
  }

  void live() {
    if (row().runtime == runtime_state::queued)
      feed(slot_granted{node_name{"local"}});
    agent_alive x;
    x.agent_pid = 100 + static_cast<int>(row().run);
    x.shim_pid = 10;
    fact(x);
    ASSERT_EQ(row().runtime, runtime_state::alive);
  }

  /// The delay is over and there is a slot.
  void restart(run_no run) {
    feed(restart_due{run});
    feed(slot_granted{});
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

  const session& row() const { return state.row; }

  session_state state;
  session_context context;
  session_step step;
  std::uint64_t seq = 0;
};

} // namespace

TEST_F(Session, IsProvisionedOnceItHasASlot) {
  feed(slot_waits{"all 15 slots are taken"});
  EXPECT_EQ(row().reason, "all 15 slots are taken");
  EXPECT_FALSE(feed(slot_waits{"all 15 slots are taken"}).changed);
  feed(slot_granted{node_name{"n2"}});
  EXPECT_EQ(row().runtime, runtime_state::provisioning);
  EXPECT_EQ(row().run, 1u);
  EXPECT_EQ(row().node.text, "n2");
  ASSERT_NE(effect<ensure_run>(), nullptr);
  EXPECT_EQ(effect<ensure_run>()->run, 1u);
  fact(step_reached{"worktree"});
  EXPECT_EQ(row().reason, "worktree");
  live();
  EXPECT_TRUE(saw(event_kind::agent_started));
  EXPECT_NE(effect<release_slot>(), nullptr) << "it starts no longer";
  EXPECT_EQ(row().agent_pid, 101);
}

TEST_F(Session, HasStartedThoughItWasNeverSeenAlive) {
  feed(slot_granted{});
  fact(agent_ended{exited(0), commits(1)});
  EXPECT_TRUE(saw(event_kind::agent_started));
  EXPECT_TRUE(saw(event_kind::agent_exited));
  EXPECT_NE(effect<release_slot>(), nullptr);
  EXPECT_NE(effect<publish_branch>(), nullptr);
  EXPECT_TRUE(row().started_at);
}

TEST_F(Session, HasNotStartedWhenItsProgramCouldNotRun) {
  feed(slot_granted{});
  exit_info e;
  e.cause = "start_failed";
  fact(agent_ended{e, {}});
  EXPECT_FALSE(saw(event_kind::agent_started));
}

TEST_F(Session, EndsErroredAndFreeWhenItsProvisioningFails) {
  feed(slot_granted{});
  fact(provision_failed{"worktree", "disk full"});
  EXPECT_EQ(row().end, session_end::errored);
  EXPECT_EQ(row().end_reason, "worktree: disk full");
  EXPECT_TRUE(saw(event_kind::spawn_failed));
  EXPECT_NE(effect<release_slot>(), nullptr);
  EXPECT_NE(effect<tell_task>(), nullptr);
}

TEST_F(Session, TakesAFailedRestartAsACrashAndKeepsTheWork) {
  live();
  fact(agent_ended{exited(1), {}});
  restart(2);
  fact(provision_failed{"pane", "tmux is gone"});
  EXPECT_EQ(row().end, session_end::open);
  EXPECT_TRUE(awaits_restart(row()));
}

TEST_F(Session, IsDoneWhenTheAgentLeavesNothing) {
  live();
  fact(agent_ended{exited(0), {}});
  EXPECT_EQ(row().end, session_end::done);
  EXPECT_NE(effect<release_slot>(), nullptr);
}

TEST_F(Session, AsksAPersonAboutADirtyWorktree) {
  live();
  auto w = commits(1);
  w.dirty = true;
  w.status_lines = {" M a.cpp", "?? b.cpp"};
  fact(agent_ended{exited(0), w});
  EXPECT_EQ(row().end, session_end::open);
  EXPECT_EQ(row().needs_input,
            "uncommitted changes at exit:\n M a.cpp\n?? b.cpp");
  EXPECT_EQ(effect<publish_branch>(), nullptr);
  ASSERT_NE(effect<raise_incident>(), nullptr);
  EXPECT_EQ(effect<raise_incident>()->cause, "needs_input");
}

TEST_F(Session, PublishesCommitsThenOpensTheChange) {
  live();
  fact(agent_ended{exited(0), commits(2)});
  EXPECT_NE(effect<publish_branch>(), nullptr);
  fact(branch_pushed{"def"});
  ASSERT_NE(effect<open_change>(), nullptr);
  EXPECT_EQ(effect<open_change>()->head_sha, "def");
  feed(change_told{change_id{"app#1"}, change_state::open});
  EXPECT_EQ(row().change.text, "app#1");
  EXPECT_EQ(row().runtime, runtime_state::exited);
}

TEST_F(Session, PushesAgainWhatCouldNotBePushedForAMoment) {
  live();
  fact(agent_ended{exited(0), commits(2)});
  fact(push_failed{"not_reachable: lease not provable", true});
  EXPECT_EQ(effect<raise_incident>(), nullptr);
  EXPECT_EQ(row().needs_input, "");
  ASSERT_NE(effect<look_later>(), nullptr);
  feed(session_recovered{});
  EXPECT_NE(effect<publish_branch>(), nullptr);
  fact(push_failed{"ref_moved: by another"});
  EXPECT_THAT(row().needs_input, HasSubstr("ref_moved"));
  EXPECT_NE(effect<raise_incident>(), nullptr);
}

TEST_F(Session, LeavesTheChangeToTheAgentWhenSaidSo) {
  context.policy.open_change_auto = false;
  live();
  fact(agent_ended{exited(0), commits(2)});
  EXPECT_EQ(effect<publish_branch>(), nullptr);
  EXPECT_THAT(row().needs_input, HasSubstr("ao pr create"));
}

TEST_F(Session, RestartsAfterACrashWithADelayThatDoubles) {
  live();
  fact(agent_ended{exited(3), {}});
  EXPECT_TRUE(awaits_restart(row()));
  ASSERT_NE(effect<arm_restart>(), nullptr);
  EXPECT_EQ(effect<arm_restart>()->delay, 15s);
  restart(2);
  EXPECT_EQ(row().run, 2u);
  EXPECT_EQ(row().restarts, 1u);
  EXPECT_EQ(effect<ensure_run>()->reason, resume_reason::crash);
  EXPECT_TRUE(saw(event_kind::agent_restarted));
  live();
  fact(agent_ended{exited(3), {}});
  EXPECT_EQ(effect<arm_restart>()->delay, 30s);
}

TEST_F(Session, WaitsForASlotBeforeItStartsAgain) {
  live();
  fact(agent_ended{exited(3), {}});
  EXPECT_NE(effect<release_slot>(), nullptr);
  feed(restart_due{2});
  EXPECT_EQ(row().runtime, runtime_state::queued);
  EXPECT_EQ(row().run, 1u);
  EXPECT_NE(effect<await_slot>(), nullptr);
  feed(session_recovered{});
  EXPECT_NE(effect<await_slot>(), nullptr);
  feed(slot_granted{});
  EXPECT_EQ(effect<ensure_run>()->run, 2u);
}

TEST_F(Session, DoesNotCountTheEndOfItsTerminalOrHost) {
  for (const auto* cause : {"hangup", "reboot"}) {
    for (int i = 0; i < 4; ++i) {
      live();
      auto e = exited(129);
      e.cause = cause;
      fact(agent_ended{e, {}});
      restart(row().run + 1);
      EXPECT_EQ(effect<ensure_run>()->reason, resume_reason::hub);
    }
  }
  EXPECT_EQ(row().end, session_end::open);
  EXPECT_EQ(row().restarts, 0u);
}

TEST_F(Session, IsNotBlamedForADiskThatKeepsItFromStarting) {
  live();
  fact(agent_ended{exited(3), {}});
  for (int i = 0; i < 4; ++i) {
    restart(row().run + 1);
    fact(provision_failed{"launch", "No space left on device", true});
    EXPECT_TRUE(effect<arm_restart>());
  }
  EXPECT_EQ(row().runtime, runtime_state::exited);
  EXPECT_EQ(row().restarts, 1u);
}

TEST_F(Session, KnowsTroubleOfTheDiskByItsWords) {
  EXPECT_TRUE(is_disk_trouble({ec::home_unusable, "x: cannot write"}));
  EXPECT_TRUE(
    is_disk_trouble({ec::git_failed, "fatal: x: No space left on device"}));
  EXPECT_FALSE(is_disk_trouble({ec::git_failed, "fatal: no such ref"}));
}

TEST_F(Session, CountsNoFailureForLongerWhenTheClockIsSetBack) {
  live();
  fact(agent_ended{exited(3), {}});
  restart(2);
  live();
  context.now -= 240h;
  fact(agent_ended{exited(3), {}});
  restart(3);
  context.now += context.policy.restart.period + 1ms;
  live();
  // Both are past: one more is no third.
  fact(agent_ended{exited(3), {}});
  EXPECT_EQ(row().runtime, runtime_state::exited);
  EXPECT_EQ(state.failures.size(), 1u);
}

TEST_F(Session, IsParkedBeyondItsIntensityWithAnIncident) {
  for (run_no run = 1; run <= 3; ++run) {
    live();
    auto e = exited(3);
    e.last_lines = {"boom"};
    fact(agent_ended{e, {}});
    if (run < 3)
      restart(run + 1);
  }
  EXPECT_EQ(row().runtime, runtime_state::parked);
  EXPECT_FALSE(parked_by_hub(row()));
  ASSERT_NE(effect<raise_incident>(), nullptr);
  EXPECT_EQ(effect<raise_incident>()->cause, "crash_loop");
  EXPECT_THAT(effect<raise_incident>()->text, HasSubstr("boom"));
  EXPECT_EQ(effect<arm_restart>(), nullptr);
}

TEST_F(Session, ForgetsFailuresOlderThanThePeriod) {
  for (run_no run = 1; run <= 6; ++run) {
    live();
    fact(agent_ended{exited(3), {}});
    context.now += 31min;
    restart(run + 1);
  }
  EXPECT_EQ(row().restarts, 6u);
}

TEST_F(Session, DoesNotCountALimitThatPasses) {
  for (run_no run = 1; run <= 6; ++run) {
    live();
    fact(agent_ended{exited(1, "rate_limited"), {}});
    EXPECT_EQ(effect<arm_restart>()->delay, 5min);
    restart(run + 1);
  }
  EXPECT_EQ(row().end, session_end::open);
}

TEST_F(Session, DoesNotRestartWhatIsNotLoggedIn) {
  live();
  fact(agent_ended{exited(1, "auth"), {}});
  EXPECT_EQ(effect<arm_restart>(), nullptr);
  EXPECT_EQ(effect<raise_incident>()->cause, "auth");
}

TEST_F(Session, GoesOnWhenItsLoginWorksAgain) {
  live();
  fact(agent_ended{exited(1, "auth"), {}});
  EXPECT_NE(effect<release_slot>(), nullptr) << "others may use it";
  EXPECT_EQ(row().runtime, runtime_state::exited) << "not parked";
  feed(login_restored{});
  EXPECT_EQ(row().runtime, runtime_state::queued);
  EXPECT_NE(effect<await_slot>(), nullptr);
  EXPECT_FALSE(feed(login_restored{}).changed);
  feed(slot_granted{});
  EXPECT_EQ(effect<ensure_run>()->run, 2u);
  EXPECT_EQ(row().resume, resume_reason::hub);
  EXPECT_EQ(row().restarts, 0u) << "no crash";
  EXPECT_EQ(row().epoch, 1u) << "its claim is kept";
}

TEST_F(Session, IsStartedAgainWhenTheTurnOfItsLiveAgentHasLostTheLogin) {
  live();
  conversation_state told;
  told.activity = activity_state::idle;
  told.failure = "auth";
  fact(told);
  EXPECT_EQ(effect<stop_run>(), nullptr);
  feed(login_restored{});
  ASSERT_NE(effect<stop_run>(), nullptr);
  fact(run_stopped{});
  EXPECT_EQ(row().runtime, runtime_state::queued);
  EXPECT_EQ(row().exit->failure, "auth");
  EXPECT_EQ(effect<raise_incident>(), nullptr) << "that is over";
  feed(slot_granted{});
  EXPECT_EQ(row().run, 2u);
  EXPECT_EQ(row().restarts, 0u);
  EXPECT_EQ(row().turn_failure, "");
}

TEST_F(Session, HasLostItsLoginWhenItsTurnSaysWhyItLeft) {
  live();
  conversation_state told;
  told.failure = "auth";
  fact(told);
  fact(agent_ended{exited(0), commits(1)});
  EXPECT_EQ(row().exit->failure, "auth");
  EXPECT_EQ(effect<publish_branch>(), nullptr) << "never done";
  EXPECT_EQ(row().end, session_end::open);
}

TEST_F(Session, WaitsForItsLoginBeforeItsFirstRun) {
  feed(slot_granted{});
  fact(provision_failed{"launch", "no login", false, true, true});
  EXPECT_EQ(row().end, session_end::open);
  EXPECT_EQ(row().runtime, runtime_state::queued);
  EXPECT_EQ(effect<raise_incident>()->cause, "auth");
  feed(slot_granted{});
  EXPECT_EQ(row().runtime, runtime_state::provisioning);
  EXPECT_EQ(row().resume, resume_reason::none) << "it begins anew";
}

TEST_F(Session, WaitsUntilTheTimeThatALimitNames) {
  context.draw = 0;
  live();
  auto end = exited(1, "rate_limited");
  end.until = context.now + 42min;
  fact(agent_ended{end, {}});
  EXPECT_EQ(effect<arm_restart>()->delay, 42min);
  context.now += 40min;
  feed(session_recovered{});
  EXPECT_EQ(effect<arm_restart>()->delay, 2min) << "also after the hub";
  restart(2);
  EXPECT_EQ(row().restarts, 0u);
  EXPECT_EQ(row().resume, resume_reason::hub);
}

TEST_F(Session, IsStartedAgainWhenTheLimitOfItsLiveAgentEnds) {
  context.draw = 0;
  live();
  conversation_state told;
  told.activity = activity_state::idle;
  told.failure = "rate_limited";
  told.until = context.now + 10min;
  fact(told);
  EXPECT_EQ(effect<arm_restart>()->delay, 10min);
  auto until = row().turn_until;
  context.now += 9min;
  told.until = context.now + 24h;
  told.last_words = "more";
  fact(told);
  EXPECT_EQ(row().turn_until, until) << "`3pm` is the first one";
  feed(session_recovered{});
  EXPECT_EQ(effect<arm_restart>()->delay, 1min);
  feed(restart_due{2});
  ASSERT_NE(effect<stop_run>(), nullptr);
  fact(run_stopped{});
  EXPECT_EQ(row().runtime, runtime_state::queued);
  EXPECT_EQ(row().exit->failure, "rate_limited");
}

TEST_F(Session, IsNotStoppedWhenItHasGoneOnBeforeItsLimitEnded) {
  live();
  conversation_state told;
  told.failure = "rate_limited";
  fact(told);
  told.failure.clear();
  told.activity = activity_state::active;
  fact(told);
  feed(restart_due{2});
  EXPECT_EQ(effect<stop_run>(), nullptr);
}

TEST_F(Session, SaysHowItWasKilledByASignal) {
  live();
  exit_info e;
  e.signal = 9;
  fact(agent_ended{e, {}});
  EXPECT_THAT(row().reason, HasSubstr("signal 9"));
  EXPECT_EQ(row().exit->failure, "crash");
}

TEST_F(Session, WakesAnExitedAgentForAMessage) {
  live();
  fact(agent_ended{exited(0), commits(1)});
  EXPECT_FALSE(feed(message_waits{message_id{"m1"}, 7}).changed);
  feed(message_waits{message_id{"m1"}, 1});
  EXPECT_EQ(row().runtime, runtime_state::queued);
  EXPECT_NE(effect<await_slot>(), nullptr);
  feed(slot_granted{});
  EXPECT_EQ(row().run, 2u);
  EXPECT_EQ(row().prompt.text, "m1");
  EXPECT_EQ(effect<ensure_run>()->reason, resume_reason::message);
  EXPECT_EQ(row().restarts, 0u);
  live();
  EXPECT_FALSE(feed(message_waits{message_id{"m2"}, 2}).changed);
  fact(agent_ended{exited(3), {}});
  restart(3);
  EXPECT_EQ(row().prompt.text, "m1");
  live();
  fact(agent_ended{exited(0), commits(1)});
  feed(restore_session{});
  feed(slot_granted{});
  EXPECT_TRUE(row().prompt.empty());
}

TEST_F(Session, RefusesAMessageOnceItHasEnded) {
  feed(kill_session{"by hand"});
  ASSERT_TRUE(feed(message_waits{}).refused);
  EXPECT_EQ(step.refused->code, ec::session_closed);
}

TEST_F(Session, StopsWhatLivesWhenItIsKilled) {
  live();
  feed(kill_session{"by hand"});
  EXPECT_EQ(row().end, session_end::killed);
  EXPECT_TRUE(saw(event_kind::session_killed));
  EXPECT_NE(effect<stop_run>(), nullptr);
  fact(run_stopped{exited(143), "refs/ao/rescue/app-1/x"});
  EXPECT_EQ(row().runtime, runtime_state::exited);
  EXPECT_EQ(row().agent_pid, 0);
  EXPECT_TRUE(saw(event_kind::agent_exited));
  EXPECT_TRUE(saw(event_kind::rescue_saved));
  EXPECT_FALSE(
    fact(run_stopped{exited(143), "refs/ao/rescue/app-1/x"}).changed);
  EXPECT_FALSE(feed(kill_session{"again"}).refused);
}

TEST_F(Session, SaysItsTroubleAsLongAsThereIsOne) {
  live();
  EXPECT_FALSE(trouble_of(row()));
  fact(agent_said{"needs_input", "Which port?"});
  EXPECT_EQ(trouble_of(row())->cause, "needs_input");
  EXPECT_EQ(trouble_of(row())->text, "Which port?");
  fact(agent_said{"working", ""});
  EXPECT_FALSE(trouble_of(row()));
  auto s = row();
  s.exit = exit_info{};
  s.exit->failure = "auth";
  s.runtime = runtime_state::exited;
  EXPECT_EQ(trouble_of(s)->cause, "auth");
  s.exit->failure = "crash";
  EXPECT_FALSE(trouble_of(s));
  s.runtime = runtime_state::parked;
  s.reason = "failed 3 times";
  s.exit->last_lines = {"boom"};
  EXPECT_EQ(trouble_of(s)->cause, "crash_loop");
  EXPECT_EQ(trouble_of(s)->text, "failed 3 times\nboom");
  s.role = session_role::reviewer;
  EXPECT_FALSE(trouble_of(s));
}

TEST_F(Session, StopsAgainWhatANodeCouldNotStop) {
  live();
  feed(kill_session{"by hand"});
  for (int i = 0; i < 3; ++i) {
    fact(cleaned_up{"tmux_failed: has-session: no answer"});
    EXPECT_EQ(row().reason, "tmux_failed: has-session: no answer");
    ASSERT_NE(effect<look_later>(), nullptr);
    feed(session_recovered{});
    EXPECT_NE(effect<stop_run>(), nullptr);
  }
  fact(run_stopped{exited(143), ""});
  EXPECT_EQ(row().runtime, runtime_state::exited);
}

TEST_F(Session, StopsAgainWhatCouldNotBeParked) {
  live();
  feed(park_session{"the hub stops", true});
  EXPECT_NE(effect<stop_run>(), nullptr);
  fact(cleaned_up{"tmux_failed: has-session: no answer"});
  ASSERT_NE(effect<look_later>(), nullptr);
  feed(session_recovered{});
  EXPECT_NE(effect<stop_run>(), nullptr);
}

TEST_F(Session, IsRestoredFromAnEndOnlyUnderANewEpoch) {
  live();
  feed(kill_session{""});
  EXPECT_EQ(feed(restore_session{2, {}, resume_reason::restore}).refused->code,
            ec::wrong_state);
  fact(run_stopped{});
  EXPECT_EQ(feed(restore_session{}).refused->code, ec::stale_epoch);
  feed(restore_session{2, {}, resume_reason::restore});
  EXPECT_NE(effect<await_slot>(), nullptr);
  feed(slot_granted{});
  EXPECT_FALSE(is_terminal(row()));
  EXPECT_EQ(row().epoch, 2u);
  EXPECT_EQ(row().run, 2u);
  EXPECT_EQ(effect<ensure_run>()->reason, resume_reason::restore);
}

TEST_F(Session, IsNotRestoredOnceMerged) {
  live();
  feed(change_told{change_id{"app#1"}, change_state::merged});
  fact(run_stopped{});
  EXPECT_EQ(feed(restore_session{9, {}, resume_reason::restore}).refused->code,
            ec::session_closed);
}

TEST_F(Session, WaitsForTheHubThatParkedIt) {
  live();
  feed(park_session{"the hub stops", true});
  EXPECT_TRUE(parked_by_hub(row()));
  EXPECT_NE(effect<stop_run>(), nullptr);
  fact(run_stopped{exited(143), ""});
  feed(restore_session{0, {}, resume_reason::hub});
  feed(slot_granted{});
  EXPECT_EQ(row().run, 2u);
}

TEST_F(Session, LetsTheNextOneStartOnceItLives) {
  live();
  EXPECT_NE(effect<release_slot>(), nullptr);
}

TEST_F(Session, IsAdoptedWhenItsNodeComesBack) {
  live();
  feed(node_gone{"n2 is lost"});
  EXPECT_EQ(row().runtime, runtime_state::lost);
  live();
  EXPECT_TRUE(saw(event_kind::session_adopted));
}

TEST_F(Session, AsksANodeThatIsBackForItsRun) {
  live();
  EXPECT_FALSE(feed(node_back{}).dropped.empty());
  feed(node_gone{"n2 is lost"});
  feed(node_back{});
  ASSERT_NE(effect<ensure_run>(), nullptr);
  EXPECT_EQ(effect<ensure_run>()->run, row().run);
}

TEST_F(Session, DropsFactsOfAnotherEpochRunOrTime) {
  live();
  EXPECT_THAT(feed(session_report{2, 1, 9, agent_ended{}}).dropped,
              HasSubstr("epoch 2"));
  EXPECT_THAT(feed(session_report{1, 2, 9, agent_ended{}}).dropped,
              HasSubstr("run 2"));
  EXPECT_THAT(feed(session_report{1, 1, seq, agent_ended{}}).dropped,
              HasSubstr("was seen"));
  EXPECT_EQ(row().runtime, runtime_state::alive);
}

TEST_F(Session, StopsAnAgentThatLivesAgainstItsOrders) {
  live();
  feed(kill_session{""});
  fact(run_stopped{});
  agent_alive x;
  x.agent_pid = 7;
  fact(x);
  EXPECT_NE(effect<stop_run>(), nullptr);
  EXPECT_TRUE(is_terminal(row()));
}

TEST_F(Session, DoesAgainWhatARestartOfTheHubMayHaveLost) {
  feed(slot_granted{});
  feed(session_recovered{});
  EXPECT_EQ(effect<ensure_run>()->run, 1u);
  live();
  fact(agent_ended{exited(3), {}});
  context.now += 5s;
  feed(session_recovered{});
  EXPECT_EQ(effect<arm_restart>()->delay, 10s);
  context.now += 1h;
  feed(session_recovered{});
  EXPECT_EQ(effect<arm_restart>()->delay, 0s);
  restart(2);
  live();
  fact(agent_ended{exited(0), commits(1)});
  feed(session_recovered{});
  EXPECT_NE(effect<publish_branch>(), nullptr);
  feed(kill_session{""});
  EXPECT_FALSE(feed(session_recovered{}).changed);
}

TEST_F(Session, RemovesTheWorktreeOfAMergedChangeIfSaidSo) {
  context.policy.remove_after_merge = true;
  live();
  fact(agent_ended{exited(0), commits(1)});
  feed(change_told{change_id{"app#1"}, change_state::merged});
  EXPECT_EQ(row().end, session_end::merged);
  EXPECT_NE(effect<remove_worktree>(), nullptr);
  fact(cleaned_up{});
  EXPECT_TRUE(row().cleaned);
  EXPECT_FALSE(fact(cleaned_up{}).changed);
}

TEST_F(Session, IsCleanedUpOnlyAfterItsEnd) {
  live();
  EXPECT_EQ(feed(cleanup_session{}).refused->code, ec::wrong_state);
  fact(agent_ended{exited(0), {}});
  feed(cleanup_session{});
  EXPECT_NE(effect<remove_worktree>(), nullptr);
  fact(cleaned_up{"the ref is not readable"});
  EXPECT_FALSE(row().cleaned);
  EXPECT_EQ(row().reason, "the ref is not readable");
}

TEST_F(Session, KeepsAQuestionUntilTheAgentWorksAgain) {
  live();
  fact(agent_said{"needs_input", "Which port?"});
  EXPECT_EQ(row().needs_input, "Which port?");
  fact(conversation_state{activity_state::idle, ""});
  EXPECT_EQ(row().needs_input, "Which port?");
  fact(conversation_state{activity_state::active, ""});
  EXPECT_EQ(row().needs_input, "");
  fact(conversation_state{activity_state::waiting_input, "Trust this folder?"});
  EXPECT_EQ(row().needs_input, "Trust this folder?");
  EXPECT_TRUE(saw(event_kind::needs_input));
}

TEST_F(Session, KnowsItsConversationAndWhatItCost) {
  live();
  conversation_state told;
  told.activity = activity_state::active;
  told.conversation = "01a2";
  EXPECT_TRUE(fact(told).changed);
  EXPECT_TRUE(saw(event_kind::activity_changed));
  told.activity = activity_state::idle;
  told.last_words = "All done";
  told.input_tokens = 22;
  fact(told);
  EXPECT_EQ(row().conversation, "01a2");
  EXPECT_EQ(row().last_words, "All done");
  EXPECT_EQ(row().input_tokens, 22u);
  EXPECT_FALSE(fact(told).changed);
}

TEST_F(Session, HasTroubleWhileItsAgentIsNotLoggedIn) {
  live();
  conversation_state told;
  told.activity = activity_state::idle;
  told.failure = "auth";
  told.problem = "unexpected status 401";
  fact(told);
  ASSERT_NE(effect<raise_incident>(), nullptr);
  EXPECT_EQ(effect<raise_incident>()->cause, "auth");
  ASSERT_TRUE(trouble_of(row()));
  told.failure.clear();
  told.activity = activity_state::active;
  fact(told);
  EXPECT_FALSE(trouble_of(row()));
}

TEST_F(Session, IsNotStartedAgainWhileItsAgentIsNotReady) {
  live();
  fact(agent_ended{exited(1), {}});
  restart(2);
  provision_failed failed;
  failed.step = "launch";
  failed.why = "agent codex is not ready: Not logged in";
  failed.by_agent = true;
  fact(failed);
  EXPECT_EQ(row().end, session_end::open);
  EXPECT_FALSE(awaits_restart(row()));
  ASSERT_NE(effect<raise_incident>(), nullptr);
  EXPECT_EQ(effect<raise_incident>()->cause, "auth");
}

TEST_F(Session, PublishesWhenTheAgentReportsCompletion) {
  live();
  fact(agent_said{"completed", ""});
  EXPECT_NE(effect<publish_branch>(), nullptr);
}

// -- reviewers ----------------------------------------------------------------

namespace {

class Reviewer : public Session {
protected:
  Reviewer() {
    auto& s = state.row;
    s.role = session_role::reviewer;
    s.task = {};
    s.subject = "role/review/app#1/abc";
    s.change = change_id{"app#1"};
    s.head = "abc";
  }
};

} // namespace

TEST_F(Reviewer, StaysExitedForItsVerdictMayBeMissing) {
  live();
  fact(agent_ended{exited(0), commits(0)});
  EXPECT_FALSE(is_terminal(row()));
  EXPECT_EQ(row().runtime, runtime_state::exited);
  EXPECT_NE(effect<release_slot>(), nullptr);
  EXPECT_NE(effect<tell_task>(), nullptr);
  EXPECT_EQ(effect<publish_branch>(), nullptr);
  // A reminder starts it again.
  feed(message_waits{message_id{"m"}, 1});
  EXPECT_EQ(row().runtime, runtime_state::queued);
  // Its verdict was heard after its exit.
  feed(work_finished{"approved"});
  EXPECT_EQ(row().end, session_end::done);
}

TEST_F(Reviewer, LeavesByItselfOnceItHasSpoken) {
  live();
  feed(work_finished{"app#1 approved"});
  EXPECT_FALSE(is_terminal(row()));
  ASSERT_NE(effect<look_later>(), nullptr);
  EXPECT_EQ(effect<look_later>()->delay, 30s);
  EXPECT_EQ(effect<stop_run>(), nullptr);
  EXPECT_FALSE(feed(work_finished{"app#1 approved"}).dropped.empty());
  // Not even a crash starts it again.
  fact(agent_ended{exited(1), commits(0)});
  EXPECT_EQ(row().end, session_end::done);
  EXPECT_EQ(row().end_reason, "app#1 approved");
  EXPECT_NE(effect<remove_worktree>(), nullptr);
  EXPECT_EQ(effect<arm_restart>(), nullptr);
  fact(cleaned_up{});
  EXPECT_TRUE(row().cleaned);
}

TEST_F(Reviewer, IsEndedWhenItDoesNotLeave) {
  live();
  feed(work_finished{"app#1 approved"});
  context.now += 10s;
  feed(session_recovered{});
  ASSERT_NE(effect<look_later>(), nullptr);
  EXPECT_EQ(effect<look_later>()->delay, 20s);
  context.now += 20s;
  feed(session_recovered{});
  EXPECT_EQ(row().end, session_end::done);
  EXPECT_NE(effect<stop_run>(), nullptr);
  fact(run_stopped{});
  EXPECT_NE(effect<remove_worktree>(), nullptr);
}

TEST_F(Reviewer, HasLeftWhenItsRunWasStopped) {
  live();
  feed(work_finished{"app#1 approved"});
  fact(run_stopped{exited(1), "refs/x"});
  EXPECT_EQ(row().end, session_end::done);
  EXPECT_EQ(row().reason, "work saved as refs/x");
  EXPECT_NE(effect<remove_worktree>(), nullptr);
  // Told again after a restart of the hub.
  state.seen = 0;
  EXPECT_FALSE(feed(session_report{row().epoch, row().run, 0,
                                   run_stopped{exited(1), "refs/x"}})
                 .dropped.empty());
}

TEST_F(Reviewer, CrashesLikeAnySession) {
  live();
  fact(agent_ended{exited(3), commits(0)});
  EXPECT_NE(effect<arm_restart>(), nullptr);
  restart(2);
  EXPECT_EQ(row().run, 2u);
  EXPECT_EQ(row().restarts, 1u);
}

TEST_F(Reviewer, KeepsItsWorktreeWhenAPersonKillsIt) {
  live();
  feed(kill_session{"killed by api"});
  fact(run_stopped{});
  EXPECT_EQ(row().end, session_end::killed);
  EXPECT_EQ(effect<remove_worktree>(), nullptr);
}

TEST(SessionTakeover, BeginsWhenNobodyWorksOnItsBranch) {
  session former;
  former.id = session_id{"app-1"};
  former.project = project_id{"app"};
  former.branch = "ao/app-1";
  former.runtime = runtime_state::alive;
  auto s = former;
  s.id = session_id{"app-2"};
  s.runtime = runtime_state::queued;
  EXPECT_FALSE(has_to_leave(former, s)) << "it takes nothing over";
  s.took_over = former.id;
  EXPECT_TRUE(has_to_leave(former, s)) << "it does not know yet";
  former.end = session_end::killed;
  EXPECT_TRUE(has_to_leave(former, s)) << "it is being stopped";
  former.runtime = runtime_state::lost;
  EXPECT_FALSE(has_to_leave(former, s));
  former.runtime = runtime_state::parked;
  former.shim_pid = 7;
  EXPECT_TRUE(has_to_leave(former, s));
  former.shim_pid = 0;
  EXPECT_FALSE(has_to_leave(former, s));
  former.runtime = runtime_state::exited;
  EXPECT_FALSE(has_to_leave(former, s));
  former.end = session_end::open;
  EXPECT_TRUE(has_to_leave(former, s)) << "it may start again";
  former.branch = "ao/app-7";
  EXPECT_FALSE(has_to_leave(former, s));
  former.branch = s.branch;
  s.run = 1;
  EXPECT_FALSE(has_to_leave(former, s)) << "it has begun";
}
