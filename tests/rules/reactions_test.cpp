#include "runtime/rules/notices.hpp"
#include "runtime/rules/reactions.hpp"

#include <gmock/gmock.h>

using namespace ao;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

using cause = incident_cause;
using tier = incident_tier;

class Reactions : public testing::Test {
protected:
  Reactions() {
    project.id = project_id{"app"};
    all.defaults.notifiers = {"phone"};
  }

  reaction_settings& written(const std::string& event) {
    return all.reactions[event];
  }

  escalation_policy policy(cause c) {
    return escalation_policy_of(all, &project, c);
  }

  settings all;
  project_settings project;
};

TEST_F(Reactions, LeaveTheTiersAloneWhereNothingIsWritten) {
  auto ci = policy(cause::ci_failed);
  EXPECT_EQ(ci.first, tier::self_heal);
  EXPECT_EQ(ci.self_heals, 5u);
  EXPECT_FALSE(ci.heal_for);
  EXPECT_EQ(ci.urgency, priority::action);
  EXPECT_EQ(policy(cause::stuck).first, tier::mediation);
  EXPECT_EQ(policy(cause::stuck).urgency, priority::urgent);
  EXPECT_EQ(policy(cause::crash_loop).urgency, priority::urgent);
  EXPECT_EQ(policy(cause::needs_input).first, tier::human);
  EXPECT_EQ(policy(cause::needs_input).urgency, priority::urgent);
  EXPECT_EQ(policy(cause::ci_failed).channels.at(priority::action),
            std::vector<std::string>{"phone"});
}

TEST_F(Reactions, LimitTheTriesOfTheAgent) {
  written("ci-failed").retries = 3;
  EXPECT_EQ(policy(cause::ci_failed).self_heals, 3u);
  written("ci-failed").escalate_after_tries = 2;
  EXPECT_EQ(policy(cause::ci_failed).self_heals, 2u);
  written("ci-failed").retries = 100;
  written("ci-failed").escalate_after_tries.reset();
  EXPECT_EQ(policy(cause::ci_failed).self_heals, 5u);
  written("merge-conflicts").escalate_after_time = 15min;
  EXPECT_EQ(policy(cause::conflict).heal_for, 15min);
  EXPECT_EQ(policy(cause::conflict).self_heals, 5u);
  // The project's own one replaces the one for all.
  project.reactions["ci-failed"].retries = 1;
  EXPECT_EQ(policy(cause::ci_failed).self_heals, 1u);
}

TEST_F(Reactions, AskAPersonAtOnceWhereTheAgentIsNotToBeTold) {
  written("ci-failed").automatic = false;
  EXPECT_EQ(policy(cause::ci_failed).first, tier::human);
  written("bugbot-comments").action = reaction_action::notify;
  EXPECT_EQ(policy(cause::changes_requested).first, tier::human);
  written("changes-requested").action = reaction_action::send_to_agent;
  EXPECT_EQ(policy(cause::changes_requested).first, tier::self_heal);
  written("agent-stuck").action = reaction_action::notify;
  EXPECT_EQ(policy(cause::stuck).first, tier::mediation);
  written("agent-stuck").automatic = false;
  EXPECT_EQ(policy(cause::stuck).first, tier::human);
}

TEST_F(Reactions, TellTheAgentFirstWhereThatIsWritten) {
  auto& r = written("agent-exited");
  r.action = reaction_action::send_to_agent;
  r.message = "Go on, please.";
  r.priority = priority::warning;
  auto p = policy(cause::crash_loop);
  EXPECT_EQ(p.first, tier::self_heal);
  EXPECT_EQ(p.self_heals, 1u);
  EXPECT_EQ(p.urgency, priority::warning);
  EXPECT_EQ(reaction_message(all, project, cause::crash_loop),
            "Go on, please.");
  EXPECT_EQ(reaction_message(all, project, cause::ci_failed), "");
}

TEST_F(Reactions, AskTheStandingOrchestratorBeforeAnyPerson) {
  project.orchestrator_session = session_id{"app-1"};
  EXPECT_EQ(policy(cause::needs_input).first, tier::mediation);
  EXPECT_EQ(policy(cause::ci_failed).first, tier::self_heal);
}

TEST_F(Reactions, OfAProjectThatIsGoneLeaveThePerson) {
  EXPECT_EQ(escalation_policy_of(all, nullptr, cause::ci_failed).rounds, 0u);
}

TEST_F(Reactions, MergeWhatIsApprovedAndGreen) {
  EXPECT_TRUE(merges_by_itself(all, project));
  written("approved-and-green").action = reaction_action::notify;
  EXPECT_FALSE(merges_by_itself(all, project));
  written("approved-and-green").action = reaction_action::auto_merge;
  project.forge.plugin = forge_kind::github;
  EXPECT_TRUE(merges_by_itself(all, project));
  written("approved-and-green").automatic = false;
  EXPECT_FALSE(merges_by_itself(all, project));
  project.merge.automatic = true;
  EXPECT_TRUE(merges_by_itself(all, project));
}

TEST_F(Reactions, SayWhenASilentAgentIsStuck) {
  EXPECT_EQ(hang_of(all, project, "a").after, 10min);
  written("agent-stuck").threshold = 3min;
  EXPECT_EQ(hang_of(all, project, "a").after, 3min);
  project.hang.after = 5min;
  EXPECT_EQ(hang_of(all, project, "a").after, 5min);
}

// -- notices ------------------------------------------------------------------

change green() {
  change c;
  c.id = change_id{"app#3"};
  c.project = project_id{"app"};
  c.session = session_id{"app-3"};
  c.task = task_id{"T7"};
  c.title = "Fix it";
  return c;
}

event of_kind(event_kind k) {
  event e;
  e.kind = k;
  return e;
}

TEST_F(Reactions, TellOfWhatWaitsToBeMergedAndWhatWasClosed) {
  all.projects[project.id] = project;
  auto n = notice_of(of_kind(event_kind::merge_ready), all, green());
  ASSERT_TRUE(n);
  EXPECT_EQ(n->priority, priority::action);
  EXPECT_EQ(n->text,
            "[AO ACTION] app-3 merge_ready\nCase app#3\n"
            "app#3 (T7, Fix it) is green and waits for you.\n"
            "Merge: ao pr merge app#3\n");
  written("approved-and-green").priority = priority::urgent;
  written("approved-and-green").message = "Look at it.";
  n = notice_of(of_kind(event_kind::merge_ready), all, green());
  EXPECT_THAT(n->text, StartsWith("[AO URGENT] app-3"));
  EXPECT_THAT(n->text, HasSubstr("\nLook at it.\n"));
  written("pr-closed").action = reaction_action::send_to_agent;
  EXPECT_FALSE(notice_of(of_kind(event_kind::change_closed), all, green()));
  EXPECT_FALSE(notice_of(of_kind(event_kind::merged), all, green()));
}

TEST_F(Reactions, TellThatNobodyIsAtWorkAnyMore) {
  work_at_hand work;
  session s;
  s.role = session_role::worker;
  s.runtime = runtime_state::alive;
  count(work, s);
  EXPECT_EQ(work.active, 1u);
  work = {};
  s.runtime = runtime_state::parked;
  count(work, s);
  task t;
  t.id = task_id{"T1"};
  t.title = "First";
  t.state = task_state::ready;
  count(work, t, dispatch_mode::manual);
  EXPECT_EQ(work.active, 0u);
  auto n = all_complete(all, work);
  EXPECT_EQ(n.priority, priority::info);
  EXPECT_THAT(n.text,
              StartsWith("[AO INFO] - all_complete\n"
                         "Case all-complete\nNo session is at work"));
  EXPECT_THAT(n.text, Not(HasSubstr("T1 (ready): First")));
  written("all-complete").include_summary = true;
  EXPECT_THAT(all_complete(all, work).text, HasSubstr("T1 (ready): First"));
  count(work, t, dispatch_mode::automatic);
  EXPECT_EQ(work.active, 1u);
}

} // namespace
