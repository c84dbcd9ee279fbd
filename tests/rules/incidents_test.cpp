#include "runtime/rules/incident_texts.hpp"
#include "runtime/rules/incidents.hpp"
#include "tests/support/effects.hpp"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

#include <map>
#include <random>
#include <set>

using namespace ao;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

namespace {

constexpr auto ci_failed = incident_cause::ci_failed;

class Incidents : public testing::Test {
protected:
  explicit Incidents(incident_cause cause = ci_failed)
      : row(new_incident(incident_id{"inc-1"},
                         incident_key(project_id{"app"}, task_id{"T1"}, cause),
                         cause, project_id{"app"}, task_id{"T1"}, now)) {
    policy.first = first_tier(cause);
    policy.urgency = priority_of(cause);
    policy.channels[priority::action] = {"gateway"};
    policy.channels[priority::urgent] = {"gateway", "desk"};
  }

  const incident_step& feed(const incident_input& input) {
    step = next_incident(row, input, policy, now, code);
    if (step.changed) {
      EXPECT_EQ(step.next.version, row.version + 1);
      row = step.next;
    } else {
      EXPECT_EQ(nlohmann::json(step.next.version), row.version);
      EXPECT_THAT(step.events, IsEmpty());
    }
    return step;
  }

  void fail_at(const std::string& sha, const std::string& session = "app-1") {
    feed(failure_seen{session_id{session},
                      change_id{"app#1"},
                      sha,
                      "CI failed on " + sha,
                      {"error: no"}});
  }

  /// So many different heads have failed.
  void fail(int times) {
    for (int n = 0; n < times; ++n)
      fail_at("sha" + std::to_string(heads++));
  }

  void reach_mediation() {
    fail(6);
    ASSERT_TRUE(awaits_verdict(row));
    feed(mediator_opened{row.rounds, session_id{"app-9"}});
  }

  void reach_human() {
    policy.rounds = 0;
    fail(6);
    ASSERT_TRUE(awaits_answer(row));
  }

  void decide(verdict v, const std::string& by = "app-9") {
    feed(verdict_given{std::move(v), session_id{by}});
  }

  session mediator(runtime_state state, run_no run = 1) {
    session s;
    s.id = session_id{"app-9"};
    s.role = session_role::mediator;
    s.runtime = state;
    s.run = run;
    return s;
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

  escalation_policy policy;
  wall_time now{1'800'000'000'000ms};
  std::string code = "ABCD2345";
  incident row;
  incident_step step;
  int heads = 0;
};

class Questions : public Incidents {
protected:
  Questions() : Incidents(incident_cause::needs_input) {}
};

// -- tier 1 -------------------------------------------------------------------

TEST_F(Incidents, BeginWithTheAgentItself) {
  fail_at("abc");
  EXPECT_TRUE(saw(event_kind::incident_opened));
  EXPECT_EQ(row.tier, incident_tier::self_heal);
  EXPECT_EQ(row.attempts, 1u);
  EXPECT_EQ(row.deadline, now + 30min);
  ASSERT_TRUE(effect<heal_agent>());
  EXPECT_THAT(effect<heal_agent>()->text, StartsWith("CI failed on abc"));
  EXPECT_THAT(effect<heal_agent>()->text, HasSubstr("attempt 1 of 5"));
}

TEST_F(Incidents, HearTheSameAgainWithoutEffect) {
  fail_at("abc");
  fail_at("abc");
  EXPECT_FALSE(step.changed);
  EXPECT_THAT(step.effects, IsEmpty());
  EXPECT_EQ(row.attempts, 1u);
}

TEST_F(Incidents, TellAnotherWordAboutTheSameHeadWithoutANewTry) {
  fail_at("abc");
  auto first = effect<heal_agent>()->key;
  feed(failure_seen{
    session_id{"app-1"}, change_id{"app#1"}, "abc", "And this too", {}});
  ASSERT_TRUE(effect<heal_agent>());
  EXPECT_NE(effect<heal_agent>()->key, first);
  EXPECT_EQ(row.attempts, 1u);
}

TEST_F(Incidents, CloseWhenTheCauseIsGone) {
  fail_at("abc");
  feed(cause_gone{});
  EXPECT_EQ(row.state, incident_state::resolved);
  EXPECT_EQ(row.closed_by, "recovery");
  EXPECT_FALSE(row.deadline);
  EXPECT_EQ(row.history.back().verdict, "green");
  // Nobody was asked, so nobody is told.
  EXPECT_THAT(step.notifications, IsEmpty());
  feed(cause_gone{});
  EXPECT_FALSE(step.changed);
}

TEST_F(Incidents, KeepTheirCountersWhenTheCauseComesBack) {
  for (int n = 1; n <= 5; ++n) {
    fail(1);
    EXPECT_EQ(row.attempts, static_cast<std::uint32_t>(n));
    feed(cause_gone{});
  }
  fail(1);
  EXPECT_TRUE(saw(event_kind::incident_opened));
  EXPECT_EQ(row.attempts, 5u);
  EXPECT_TRUE(awaits_verdict(row));
}

TEST_F(Incidents, CountATryThatIsOverdue) {
  fail_at("abc");
  now += 30min - 1ms;
  feed(incident_due{});
  EXPECT_FALSE(step.changed);
  now += 1ms;
  feed(incident_due{});
  EXPECT_EQ(row.attempts, 2u);
  EXPECT_EQ(row.history.front().verdict, "overdue");
  EXPECT_THAT(effect<heal_agent>()->text, HasSubstr("attempt 2 of 5"));
}

// -- tier 2 -------------------------------------------------------------------

TEST_F(Incidents, ClimbToAMediatorAfterTheLastTry) {
  fail(5);
  EXPECT_TRUE(effect<heal_agent>());
  fail(1);
  EXPECT_FALSE(effect<heal_agent>());
  EXPECT_TRUE(saw(event_kind::incident_escalated));
  EXPECT_EQ(row.tier, incident_tier::mediation);
  EXPECT_EQ(row.rounds, 1u);
  EXPECT_EQ(row.deadline, now + 15min);
}

TEST_F(Incidents, TellTheAgentTheAdviceAndWaitForWhatComesOfIt) {
  reach_mediation();
  verdict v;
  v.text = "Look at the parser";
  decide(v);
  EXPECT_THAT(effect<tell_agent>()->text, HasSubstr("Look at the parser"));
  EXPECT_EQ(effect<dismiss_mediator>()->session.text, "app-9");
  EXPECT_EQ(row.deadline, now + 30min);
  EXPECT_FALSE(awaits_verdict(row));
  feed(cause_gone{});
  EXPECT_EQ(row.state, incident_state::resolved);
}

TEST_F(Incidents, GoOnToAPersonAfterTwoRounds) {
  reach_mediation();
  verdict v;
  v.text = "Try this";
  decide(v);
  fail(1);
  EXPECT_EQ(row.rounds, 2u);
  EXPECT_TRUE(awaits_verdict(row));
  feed(mediator_opened{2, session_id{"app-10"}});
  decide(v, "app-10");
  now += 30min;
  feed(incident_due{});
  EXPECT_TRUE(awaits_answer(row));
  EXPECT_THAT(row.question, HasSubstr("after 5 attempts and 2 mediations"));
}

TEST_F(Incidents, TakeNoVerdictOfAnotherSession) {
  reach_mediation();
  decide({}, "app-1");
  ASSERT_TRUE(step.refused);
  EXPECT_EQ(step.refused->code, ec::not_allowed);
  EXPECT_FALSE(step.changed);
}

TEST_F(Incidents, AskAPersonWhenTheMediatorIsLate) {
  reach_mediation();
  now += 15min;
  feed(incident_due{});
  EXPECT_TRUE(awaits_answer(row));
  EXPECT_TRUE(effect<dismiss_mediator>());
  decide({});
  EXPECT_EQ(step.refused->code, ec::wrong_state);
}

TEST_F(Incidents, RemindASilentMediatorOnce) {
  reach_mediation();
  feed(mediator_told{mediator(runtime_state::alive)});
  EXPECT_FALSE(step.changed);
  auto exited = mediator(runtime_state::exited);
  exited.exit = exit_info{};
  exited.exit->code = 0;
  feed(mediator_told{exited});
  EXPECT_TRUE(effect<remind_mediator>());
  feed(mediator_told{exited});
  EXPECT_FALSE(step.changed);
  exited.run = 2;
  feed(mediator_told{exited});
  EXPECT_TRUE(awaits_answer(row));
}

TEST_F(Incidents, EndTheRoundAtTheSecondInvalidVerdict) {
  reach_mediation();
  feed(verdict_refused{session_id{"app-9"}, "text: it is missing"});
  EXPECT_TRUE(awaits_verdict(row));
  feed(verdict_refused{session_id{"app-9"}, "text: it is missing"});
  EXPECT_TRUE(awaits_answer(row));
  EXPECT_EQ(row.history[row.history.size() - 2].verdict, "invalid");
}

TEST_F(Incidents, DoNotWaitForAnAgentThatCannotBeTold) {
  fail(1);
  feed(try_failed{incident_tier::self_heal, 2, "session_closed"});
  EXPECT_FALSE(step.changed);
  feed(try_failed{incident_tier::self_heal, 1, "session_closed"});
  EXPECT_TRUE(awaits_verdict(row));
  EXPECT_EQ(row.history.front().verdict, "unreachable");
}

TEST_F(Incidents, AskAPersonWhenThereIsNoMediator) {
  fail(6);
  feed(try_failed{incident_tier::mediation, 1, "agent_not_ready"});
  EXPECT_TRUE(awaits_answer(row));
}

TEST_F(Incidents, CarryOutEachVerdict) {
  auto carried = [this](verdict v) {
    row = new_incident(incident_id{"inc-1"}, "k", ci_failed, project_id{"app"},
                       task_id{"T1"}, now);
    reach_mediation();
    decide(std::move(v));
  };
  verdict v;
  v.kind = verdict_kind::redesign;
  v.title = "Another way";
  v.body = "Begin here";
  carried(v);
  EXPECT_THAT(effect<tell_agent>()->text, HasSubstr("Another way"));
  v = {};
  v.kind = verdict_kind::split;
  v.parts = {{"a", "", {}}, {"b", "", {"a"}}};
  carried(v);
  EXPECT_EQ(effect<split_task>()->how.parts.size(), 2u);
  EXPECT_EQ(row.state, incident_state::resolved);
  v = {};
  v.kind = verdict_kind::reassign;
  v.agent = "other";
  carried(v);
  EXPECT_EQ(effect<reassign_task>()->agent, "other");
  EXPECT_EQ(row.state, incident_state::open);
  v = {};
  v.kind = verdict_kind::retry;
  carried(v);
  EXPECT_TRUE(effect<retry_session>());
  v = {};
  v.kind = verdict_kind::abandon;
  v.why = "not worth it";
  carried(v);
  EXPECT_TRUE(effect<abandon_task>());
  EXPECT_EQ(row.why, "not worth it");
  EXPECT_EQ(row.state, incident_state::abandoned);
  v = {};
  v.kind = verdict_kind::ask_human;
  v.question = "Which one?";
  v.options = {"left", "right"};
  carried(v);
  EXPECT_TRUE(awaits_answer(row));
  EXPECT_EQ(row.question, "Which one?");
}

// -- tier 3 -------------------------------------------------------------------

TEST_F(Incidents, AskWithOptionsAndACode) {
  reach_human();
  ASSERT_EQ(step.notifications.size(), 1u);
  const auto& n = step.notifications.front();
  EXPECT_EQ(n.id, "gateway/inc-1/1");
  EXPECT_THAT(n.text,
              StartsWith("[AO ACTION] app-1 incident_asked\n"
                         "Case inc-1\n"));
  EXPECT_THAT(n.text,
              HasSubstr("Options: retry | abandon\nCode: ABCD2345\n"
                        "Answer: ao incident answer inc-1 "));
  EXPECT_THAT(n.key, StartsWith("ao-inc-1-1-"));
  // A code is for those who read the question, not for the log.
  for (const auto& e : step.events)
    EXPECT_THAT(e.data, Not(HasSubstr("ABCD2345")));
}

TEST_F(Incidents, TellTheAgentTheAnswer) {
  reach_human();
  feed(answer_given{"use the old parser", "ABCD2345", "gateway"});
  ASSERT_TRUE(effect<tell_agent>());
  EXPECT_THAT(effect<tell_agent>()->text,
              StartsWith("Answer to inc-1: use the old parser\n"));
  EXPECT_FALSE(awaits_answer(row));
  EXPECT_EQ(row.deadline, now + 30min);
  // It fails again: another question with another code.
  code = "WXYZ6789";
  fail(1);
  EXPECT_TRUE(awaits_answer(row));
  EXPECT_EQ(row.code, "WXYZ6789");
  EXPECT_FALSE(effect<tell_agent>());
}

TEST_F(Incidents, RefuseAnswersThatAreLateWrongOrRepeated) {
  feed(answer_given{"x", std::nullopt, "api"});
  EXPECT_EQ(step.refused->code, ec::wrong_state);
  reach_human();
  feed(answer_given{"x", "AAAA0000", "gateway"});
  EXPECT_EQ(step.refused->code, ec::not_allowed);
  EXPECT_TRUE(awaits_answer(row));
  feed(answer_given{"x", "ABCD2345", "gateway"});
  EXPECT_FALSE(step.refused);
  feed(answer_given{"y", "ABCD2345", "gateway"});
  EXPECT_EQ(step.refused->code, ec::already_answered);
  EXPECT_EQ(row.answer, "x");
  feed(cause_gone{});
  feed(answer_given{"y", "ABCD2345", "gateway"});
  EXPECT_EQ(step.refused->code, ec::incident_closed);
  EXPECT_FALSE(step.changed);
}

TEST_F(Incidents, AskAgainAfterFourAndEightHours) {
  reach_human();
  auto asked = now;
  for (auto age : {4h, 8h}) {
    EXPECT_EQ(row.deadline, asked + age);
    now = asked + age;
    feed(incident_due{});
    EXPECT_EQ(step.notifications.size(), 1u);
  }
  EXPECT_FALSE(row.deadline);
  EXPECT_EQ(row.raised, 3u);
  EXPECT_EQ(row.code, "ABCD2345");
}

TEST_F(Incidents, AskNoMoreWhenSomebodyHasSeenIt) {
  reach_human();
  feed(question_acked{});
  EXPECT_FALSE(row.deadline);
  EXPECT_TRUE(awaits_answer(row));
  feed(question_acked{});
  EXPECT_FALSE(step.changed);
  EXPECT_FALSE(step.refused);
  feed(answer_given{"retry", std::nullopt, "api"});
  EXPECT_TRUE(effect<retry_session>());
}

TEST_F(Incidents, TellThoseWhoWereAskedThatItIsOver) {
  reach_human();
  feed(cause_gone{});
  ASSERT_EQ(step.notifications.size(), 1u);
  EXPECT_EQ(step.notifications.front().priority, priority::info);
  EXPECT_THAT(step.notifications.front().text,
              HasSubstr("resolved by recovery"));
}

TEST_F(Incidents, AreAbandonedByAnAnswer) {
  reach_human();
  feed(answer_given{"abandon", std::nullopt, "api"});
  EXPECT_TRUE(effect<abandon_task>());
  EXPECT_EQ(row.state, incident_state::abandoned);
  fail(1);
  EXPECT_FALSE(step.changed);
  feed(reopen_wanted{});
  EXPECT_TRUE(awaits_answer(row));
}

TEST_F(Questions, GoToAPersonAtOnce) {
  feed(failure_seen{session_id{"app-1"}, {}, {}, "Which database?", {}});
  EXPECT_TRUE(awaits_answer(row));
  EXPECT_EQ(step.notifications.size(), 2u);
  EXPECT_EQ(step.notifications[1].id, "desk/inc-1/1");
  EXPECT_THAT(step.notifications[0].text,
              StartsWith("[AO URGENT] app-1 incident_asked"));
  feed(answer_given{"sqlite", "ABCD2345", "gateway"});
  EXPECT_THAT(effect<tell_agent>()->text,
              StartsWith("Answer to inc-1: sqlite"));
}

TEST_F(Questions, AreNeverCutWhereTheAnswerIsExplained) {
  feed(failure_seen{session_id{"app-1"}, {}, {}, std::string(20'000, 'x'), {}});
  verdict v;
  v.kind = verdict_kind::ask_human;
  v.question = std::string(16'000, 'y');
  feed(verdict_given{v, {}});
  ASSERT_FALSE(step.notifications.empty());
  const auto& text = step.notifications.front().text;
  EXPECT_LE(text.size(), 3'500u);
  EXPECT_THAT(text, HasSubstr("Answer: ao incident answer inc-1"));
}

TEST(BaseIncident, CountsTheSessionsItStops) {
  escalation_policy policy;
  policy.first = incident_tier::human;
  policy.urgency = priority::urgent;
  wall_time now{1'800'000'000'000ms};
  auto row = new_incident(
    incident_id{"inc-1"},
    incident_key(project_id{"app"}, {}, incident_cause::base_red),
    incident_cause::base_red, project_id{"app"}, {}, now);
  EXPECT_EQ(row.fingerprint, "project/app/base_red");
  std::size_t notifications = 0;
  policy.channels[priority::urgent] = {"gateway"};
  for (int n = 0; n < 200; ++n) {
    auto step = next_incident(
      row,
      failure_seen{
        session_id{"app-" + std::to_string(n)}, {}, "sha", "red", {}},
      policy, now, "CODE");
    notifications += step.notifications.size();
    row = step.next;
  }
  EXPECT_EQ(count_of(row), 200u);
  EXPECT_EQ(notifications, 1u);
}

/// Of a node, which no task and no project is to blame for.
class LostNode : public testing::Test {
protected:
  LostNode() {
    policy.first = first_tier(incident_cause::node_lost);
    policy.channels[priority::action] = {"gateway"};
    row
      = new_incident(incident_id{"inc-1"},
                     incident_key({}, {}, incident_cause::node_lost, "worker"),
                     incident_cause::node_lost, {}, {}, now);
  }

  void feed(const incident_input& input) {
    step = next_incident(row, input, policy, now, "CODE");
    row = step.next;
  }

  static failure_seen loss(std::vector<session_id> sessions) {
    failure_seen x{{}, {}, {}, "Node worker is lost", {}};
    if (!sessions.empty())
      x.session = sessions.front();
    if (sessions.size() > 1)
      x.others.assign(sessions.begin() + 1, sessions.end());
    return x;
  }

  escalation_policy policy;
  wall_time now{1'800'000'000'000ms};
  incident row;
  incident_step step;
};

TEST_F(LostNode, AsksOnceAndSaysHowManySessionsItHad) {
  EXPECT_EQ(row.fingerprint, "hub/node_lost/worker");
  feed(loss({session_id{"app-1"}, session_id{"web-2"}, session_id{"app-3"}}));
  EXPECT_EQ(count_of(row), 3u);
  ASSERT_EQ(step.notifications.size(), 1u);
  EXPECT_THAT(step.notifications[0].text,
              HasSubstr("cluster: a node is lost, in 3 sessions"));
  EXPECT_THAT(step.events.front().data, HasSubstr("\"count\":3"));
  feed(loss({session_id{"web-2"}, session_id{"app-1"}, session_id{"app-3"}}));
  EXPECT_FALSE(step.changed);
  feed(cause_gone{"recovery", "node worker is back"});
  EXPECT_EQ(row.state, incident_state::resolved);
}

TEST_F(LostNode, IsAboutThoseItHasThisTime) {
  feed(loss({session_id{"app-1"}, session_id{"app-2"}}));
  feed(cause_gone{});
  feed(loss({session_id{"app-9"}}));
  EXPECT_EQ(row.state, incident_state::open);
  EXPECT_EQ(row.session.text, "app-9");
  EXPECT_EQ(count_of(row), 1u);
}

TEST_F(LostNode, MayHaveHadNone) {
  feed(loss({}));
  EXPECT_EQ(count_of(row), 0u);
  ASSERT_EQ(step.notifications.size(), 1u);
  EXPECT_THAT(step.notifications[0].text,
              StartsWith("[AO ACTION] cluster incident_asked"));
}

TEST_F(LostNode, TellsNoAgentOfTheAnswer) {
  feed(loss({session_id{"app-1"}}));
  feed(answer_given{"retry", std::nullopt, "api"});
  auto is_mail = [](const incident_effect& e) {
    return std::holds_alternative<tell_agent>(e);
  };
  EXPECT_TRUE(std::none_of(step.effects.begin(), step.effects.end(), is_mail));
  EXPECT_TRUE(
    std::any_of(step.effects.begin(), step.effects.end(), [](const auto& e) {
      return std::holds_alternative<retry_session>(e);
    }));
}

TEST_F(Incidents, LeaveTierOneWhenItsTimeIsUp) {
  policy.heal_for = 20min;
  fail(1);
  EXPECT_EQ(row.deadline, now + 20min);
  now += 10min;
  fail(1);
  EXPECT_EQ(row.tier, incident_tier::self_heal);
  EXPECT_EQ(row.deadline, now + 10min);
  now += 10min;
  feed(incident_due{});
  EXPECT_TRUE(awaits_verdict(row));
  EXPECT_EQ(row.attempts, 2u);
}

TEST_F(Incidents, RewriteTheTaskOfARedesign) {
  reach_mediation();
  verdict v;
  v.kind = verdict_kind::redesign;
  v.title = "Another way";
  v.body = "Begin here";
  decide(v);
  ASSERT_NE(effect<redesign_task>(), nullptr);
  EXPECT_EQ(effect<redesign_task>()->title, "Another way");
  EXPECT_NE(effect<tell_agent>(), nullptr);
  EXPECT_EQ(unfinished_effects(row).size(), 2u);
}

TEST_F(Incidents, LetAStandingOrchestratorComeAndGo) {
  reach_mediation();
  auto standing = mediator(runtime_state::exited);
  standing.role = session_role::worker;
  feed(mediator_told{standing});
  EXPECT_FALSE(step.dropped.empty());
  EXPECT_TRUE(awaits_verdict(row));
}

// -- ten thousand nights ------------------------------------------------------

/// One scripted failure pattern: what its agent, its mediators and its person
/// do, each as likely as the seed says.
class night {
public:
  explicit night(unsigned seed) : dice_(seed) {
    policy_.self_heals = 1 + dice_() % 5;
    policy_.rounds = dice_() % 3;
    if (dice_() % 4 == 0)
      policy_.heal_for = minutes(1 + dice_() % 90);
    mends_ = dice_() % 100;
    obeys_ = dice_() % 100;
  }

  /// The end of it; objections are added to `wrong`.
  incident live(std::vector<std::string>& wrong) {
    auto row = new_incident(incident_id{"inc-1"}, "k", ci_failed,
                            project_id{"app"}, task_id{"T1"}, now_);
    take(row, red());
    for (int step = 0; step < 200 && row.state == incident_state::open;
         ++step) {
      now_ += minutes(dice_() % 40);
      if (awaits_answer(row)) {
        if (dice_() % 3 == 0)
          return row; // a person has it
        take(row, answer_given{dice_() % 4 ? "go on" : "abandon", {}, "api"});
      } else if (awaits_verdict(row)) {
        mediate(row);
      } else if (dice_() % 100 < mends_) {
        take(row, cause_gone{});
        // It comes back: oscillation gives no try back.
        if (dice_() % 2 == 0)
          take(row, red());
      } else if (dice_() % 100 < obeys_) {
        take(row, red());
      } else if (row.deadline) {
        now_ = std::max(now_, *row.deadline);
        take(row, incident_due{});
      }
      if (row.attempts > policy_.self_heals)
        wrong.push_back("healed " + std::to_string(row.attempts) + " times");
      if (row.rounds > policy_.rounds)
        wrong.push_back("mediated " + std::to_string(row.rounds) + " times");
    }
    return row;
  }

private:
  static milliseconds minutes(unsigned n) { return std::chrono::minutes{n}; }

  incident_input red() {
    return failure_seen{session_id{"app-1"},
                        change_id{"app#1"},
                        "sha" + std::to_string(heads_++),
                        "red",
                        {}};
  }

  void mediate(incident& row) {
    take(row, mediator_opened{row.rounds, session_id{"app-9"}});
    verdict v;
    v.text = v.question = v.agent = v.title = "x";
    switch (dice_() % 6) {
    case 0:
      return take(row, verdict_refused{row.mediator, "nonsense"});
    case 1:
      now_ = std::max(now_, *row.deadline);
      return take(row, incident_due{});
    case 2:
      v.kind = verdict_kind::advise;
      break;
    case 3:
      v.kind = verdict_kind::retry;
      break;
    case 4:
      v.kind = verdict_kind::abandon;
      break;
    default:
      v.kind = verdict_kind::ask_human;
    }
    take(row, verdict_given{v, row.mediator});
  }

  void take(incident& row, const incident_input& input) {
    row = next_incident(row, input, policy_, now_, "CODE").next;
  }

  std::mt19937 dice_;
  escalation_policy policy_;
  wall_time now_{1'800'000'000'000ms};
  unsigned mends_ = 0;
  unsigned obeys_ = 0;
  int heads_ = 0;
};

TEST(TenThousandNights, EndResolvedAbandonedOrWithAPerson) {
  std::vector<std::string> wrong;
  std::map<std::string, int> ends;
  for (unsigned seed = 0; seed < 10'000; ++seed) {
    auto end = night{seed}.live(wrong);
    auto asked = end.state == incident_state::open && awaits_answer(end);
    if (end.state == incident_state::open && !asked)
      wrong.push_back("seed " + std::to_string(seed) + " goes on for ever");
    ++ends[asked ? "person" : std::string{to_string(end.state)}];
  }
  EXPECT_THAT(wrong, IsEmpty());
  // Each of them is met, or the patterns show nothing.
  for (const auto* way : {"person", "resolved", "abandoned"})
    EXPECT_GT(ends[way], 100) << way;
}

// -- whatever happens ---------------------------------------------------------

incident_input any_input(const incident& row, int& heads) {
  switch (*rc::gen::inRange(0, 12)) {
  case 0:
  case 1:
  case 2:
  case 3:
    return failure_seen{session_id{"app-1"},
                        change_id{"app#1"},
                        "sha"
                          + std::to_string(heads += *rc::gen::inRange(0, 2)),
                        "red",
                        {}};
  case 4:
    return cause_gone{};
  case 5:
  case 6:
    return incident_due{};
  case 7:
    return mediator_opened{row.rounds, session_id{"app-9"}};
  case 8: {
    verdict v;
    v.kind = *rc::gen::element(verdict_kind::advise, verdict_kind::retry,
                               verdict_kind::ask_human, verdict_kind::reassign);
    v.text = v.question = v.agent = "x";
    return verdict_given{v, row.mediator};
  }
  case 9:
    return answer_given{"go on", row.code, "gateway"};
  case 10:
    return question_acked{};
  default:
    return try_failed{row.tier, *rc::gen::inRange(0u, 6u), "none"};
  }
}

/// A hundred patterns of a hundred steps each by default: ten thousand
/// decisions.
RC_GTEST_PROP(AnyIncident, NeverHealsMoreThanFiveTimesAndIsNeverStuck, ()) {
  escalation_policy policy;
  wall_time now{1'800'000'000'000ms};
  auto row = new_incident(incident_id{"inc-1"}, "k", ci_failed,
                          project_id{"app"}, task_id{"T1"}, now);
  std::set<std::string> told;
  int heads = 0;
  for (int n = 0; n < 100; ++n) {
    now += milliseconds{*rc::gen::inRange(0, 3'600'000)};
    auto input = any_input(row, heads);
    auto step = next_incident(row, input, policy, now, "C" + std::to_string(n));
    for (const auto& e : step.effects)
      if (auto* t = std::get_if<heal_agent>(&e))
        told.insert(t->key);
    RC_ASSERT(step.next.attempts >= row.attempts);
    RC_ASSERT(step.next.rounds >= row.rounds);
    row = step.next;
    RC_ASSERT(row.attempts <= 5u);
    RC_ASSERT(told.size() <= 5u);
    RC_ASSERT(row.rounds <= policy.rounds);
    RC_ASSERT(row.history.size() <= 32u);
    // Open: something is under way that ends by itself, or a person is asked.
    if (row.state == incident_state::open && !row.history.empty())
      RC_ASSERT(row.deadline.has_value() || awaits_answer(row));
    else
      RC_ASSERT(!row.deadline.has_value());
    // Whoever comes back from a crash does at most what was to be done.
    if (row.tier == incident_tier::self_heal)
      RC_ASSERT(unfinished_effects(row).size() <= 1u);
  }
}

} // namespace
