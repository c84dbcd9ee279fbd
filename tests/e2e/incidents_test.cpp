#include "tests/support/agent_scripts.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

/// CI passes once `work` says `fine`.
world_options with_escalation(const std::string& escalation) {
  world_options o;
  o.settings += "escalation: {" + escalation + "}\n";
  o.project = ", " + scripts::wants_fine_work;
  return o;
}

/// Gives the verdict that `$HOME/verdict.json` holds.
constexpr const char* mediator = R"(
cp "$AO_PROMPT_FILE" "$HOME/mediation.$AO_SESSION.$AO_RUN"
cp "$AO_DOSSIER" "$HOME/dossier.$AO_SESSION"
echo "$AO_ROLE $AO_INCIDENT" > "$HOME/role.$AO_SESSION"
[ ! -e "$HOME/verdict.json" ] ||
  ao incident resolve "$AO_INCIDENT" --file "$HOME/verdict.json"
)";

class Incident : public testing::Test {
protected:
  explicit Incident(const std::string& escalation
                    = "mediation: {agent: mediator}")
      : w(with_escalation(escalation)) {
    w.add_agent("stubborn", scripts::stubborn);
    w.add_agent("mediator", mediator);
  }

  void decide(const json& verdict) {
    std::ofstream{w.user() / "verdict.json"} << verdict.dump();
  }

  void begin() {
    w.start();
    w.ask({"spawn", w.add_task("First")});
  }

  json incident(const std::string& id = "inc-1") {
    return w.ask({"incident", "show", id});
  }

  std::string kept(const std::string& file) {
    return content_of(w.user() / file);
  }

  world w;
};

/// Nobody mediates: a person is asked after the last self-heal.
class Question : public Incident {
protected:
  Question() : Incident("selfHeal: {attempts: 1}, mediation: {rounds: 0}") {}
};

TEST_F(Incident, GoesThroughFiveSelfHealsAndAMediatorToAMerge) {
  decide({{"verdict", "advise"}, {"text", "Say xyzzy"}});
  begin();
  w.await("merged", "change:app#1");
  w.await("incident_closed", "incident:inc-1");
  auto i = incident();
  EXPECT_EQ(i["state"], "resolved");
  EXPECT_EQ(i["attempts"], 5);
  EXPECT_EQ(i["rounds"], 1);
  EXPECT_EQ(i["closedBy"], "recovery");
  // The first run, five self-heals, and what the mediator advised.
  EXPECT_THAT(kept("prompt.2"), StartsWith("CI failed on "));
  EXPECT_THAT(kept("prompt.2"), HasSubstr("attempt 1 of 5 (inc-1)"));
  EXPECT_THAT(kept("prompt.6"), HasSubstr("attempt 5 of 5 (inc-1)"));
  EXPECT_THAT(kept("prompt.7"), HasSubstr("Say xyzzy"));
  EXPECT_EQ(kept("role.app-2"), "mediator inc-1\n");
  EXPECT_THAT(kept("mediation.app-2.1"), StartsWith("Mediate inc-1: CI fails"));
  auto dossier = json::parse(kept("dossier.app-2"));
  EXPECT_EQ(dossier["attempts"].size(), 5u);
  EXPECT_EQ(dossier["task"]["id"], "T1");
  // Nothing of the mediator's session is left.
  w.await("session_cleaned", "session:app-2");
  EXPECT_EQ(w.ask({"session", "show", "app-2"})["status"], "done");
}

TEST_F(Incident, SurvivesDeathsOfTheHubAtEachTier) {
  decide({{"verdict", "advise"}, {"text", "Say xyzzy"}});
  begin();
  for (auto kind : {"incident_opened", "incident_escalated"}) {
    w.await(kind, "incident:inc-1");
    w.kill_hub();
    w.start();
  }
  w.await("merged", "change:app#1");
  w.await("incident_closed", "incident:inc-1");
  EXPECT_EQ(incident()["attempts"], 5);
  EXPECT_EQ(incident()["rounds"], 1);
  EXPECT_EQ(w.ask({"incident", "ls"})["data"], json::array());
}

TEST_F(Incident, OfASilentMediatorIsAskedOfAPerson) {
  begin();
  w.await("incident_asked", "incident:inc-1");
  auto i = incident();
  EXPECT_EQ(i["tier"], "human");
  EXPECT_THAT(i["question"].get<std::string>(),
              HasSubstr("after 5 attempts and 1 mediation"));
  // It was reminded once.
  EXPECT_THAT(kept("mediation.app-2.2"), HasSubstr("No verdict has come"));
  EXPECT_EQ(w.ao({"incident", "answer", "inc-1", "say", "xyzzy"}).status.code,
            0);
  w.await("merged", "change:app#1");
  EXPECT_THAT(kept("prompt.7"), StartsWith("Answer to inc-1: say xyzzy\n"));
}

TEST_F(Incident, IsMediatedByNobodyElse) {
  w.add_agent("impostor",
              "ao incident resolve inc-1 --why mine 2> "
              "\"$HOME/refused\" || true\n");
  decide({{"verdict", "ask_human"},
          {"question", "Which word?"},
          {"options", {"fine", "good"}}});
  begin();
  w.await("incident_asked", "incident:inc-1");
  EXPECT_EQ(incident()["question"], "Which word?");
  EXPECT_EQ(incident()["options"], json({"fine", "good"}));
  w.ask({"spawn", w.add_task("Second"), "--agent", "impostor"});
  w.await("session_ended", "session:app-3");
  EXPECT_THAT(kept("refused"), HasSubstr("not_allowed"));
  EXPECT_EQ(incident()["state"], "open");
}

TEST_F(Incident, IsAbandonedByAVerdict) {
  decide({{"verdict", "abandon"}, {"why", "nobody needs it"}});
  begin();
  w.await("incident_closed", "incident:inc-1");
  EXPECT_EQ(incident()["state"], "abandoned");
  w.await("task_closed", "task:T1");
  EXPECT_EQ(w.ask({"task", "show", "T1"})["state"], "cancelled");
}

TEST_F(Incident, CarriesOutItsEndThoughTheHubDies) {
  decide({{"verdict", "abandon"}, {"why", "nobody needs it"}});
  begin();
  w.await("incident_closed", "incident:inc-1");
  w.kill_hub();
  w.start();
  w.await("task_closed", "task:T1");
  EXPECT_EQ(w.ask({"task", "show", "T1"})["state"], "cancelled");
  // It is done once: what is retried later stays.
  EXPECT_EQ(w.ao({"task", "retry", "T1"}).status.code, 0);
  w.kill_hub();
  w.start();
  EXPECT_EQ(w.ask({"task", "show", "T1"})["state"], "ready");
}

TEST_F(Incident, IsSplitIntoTasks) {
  decide({{"verdict", "split"},
          {"tasks",
           {{{"title", "Half"}, {"body", "one"}},
            {{"title", "Other half"}, {"body", "two"}, {"needs", {"Half"}}}}}});
  begin();
  w.await("task_closed", "task:T1");
  auto tasks = w.ask({"task", "ls"})["data"];
  ASSERT_EQ(tasks.size(), 3u) << tasks;
  EXPECT_EQ(tasks[0]["state"], "cancelled");
  EXPECT_EQ(tasks[1]["title"], "Half");
  EXPECT_EQ(tasks[2]["needs"], json({"T2"}));
}

TEST_F(Incident, IsGivenToAnotherAgent) {
  w.add_agent("able",
              "echo fine > work\ngit add --all\n"
              "git commit --quiet --message Able\n");
  decide({{"verdict", "reassign"}, {"agent", "able"}});
  begin();
  w.await("merged", "change:app#2");
  w.await("incident_closed", "incident:inc-1");
  w.await("task_closed", "task:T1");
  EXPECT_EQ(w.ask({"task", "show", "T1"})["state"], "merged");
}

TEST_F(Incident, TakesTheSecondInvalidVerdictForNone) {
  decide({{"verdict", "advise"}});
  begin();
  w.await("incident_asked", "incident:inc-1");
  auto history = incident()["history"];
  auto tried = std::find_if(history.begin(), history.end(), [](const json& a) {
    return a["tier"] == "mediation";
  });
  ASSERT_NE(tried, history.end());
  EXPECT_EQ((*tried)["verdict"], "invalid");
  EXPECT_EQ((*tried)["detail"], "text: it is missing, expected a text");
}

TEST_F(Question, IsAnsweredOnceAndTheAgentHearsIt) {
  begin();
  w.await("incident_asked", "incident:inc-1");
  auto questions = w.ask({"status"})["meta"]["questions"];
  ASSERT_EQ(questions.size(), 1u);
  EXPECT_EQ(questions[0]["incident"], "inc-1");
  EXPECT_THAT(w.ao({"status"}).out,
              HasSubstr("inc-1 asks: T1, app#1: CI fails"));
  EXPECT_THAT(w.ao({"why", "T1"}).out, HasSubstr("incident_asked"));
  auto listed = w.ask({"incident", "ls"})["data"];
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0]["tier"], "human");
  EXPECT_THAT(listed.dump(), Not(HasSubstr("code")));
  EXPECT_EQ(w.ao({"incident", "answer", "inc-1", "x", "--code", "AAAAAAAA"})
              .status.code,
            6);
  EXPECT_EQ(w.ao({"incident", "ack", "inc-1"}).status.code, 0);
  EXPECT_EQ(w.ao({"incident", "answer", "inc-1", "xyzzy"}).status.code, 0);
  auto late = w.ao({"incident", "answer", "inc-1", "other"});
  EXPECT_EQ(late.status.code, 4);
  EXPECT_THAT(late.err,
              testing::AnyOf(HasSubstr("already_answered"),
                             HasSubstr("incident_closed")));
  w.await("merged", "change:app#1");
  w.await("incident_closed", "incident:inc-1");
  EXPECT_THAT(kept("prompt.3"), StartsWith("Answer to inc-1: xyzzy\n"));
  EXPECT_EQ(w.ao({"incident", "answer", "inc-1", "x"}).status.code, 4);
  EXPECT_EQ(w.ao({"incident", "show", "inc-7"}).status.code, 3);
}

TEST_F(Question, IsAnsweredTheSameWhenTheRequestIsRepeated) {
  begin();
  w.await("incident_asked", "incident:inc-1");
  auto answer = [&](const std::string& text, const std::string& request) {
    auto got = w.api().call("POST", "/api/v1/incidents/inc-1/answer",
                            {{"answer", text}, {"requestId", request}});
    return got ? ec::none : got.error().code;
  };
  auto late = testing::AnyOf(ec::already_answered, ec::incident_closed);
  EXPECT_EQ(answer("xyzzy", "mine"), ec::none);
  EXPECT_EQ(answer("xyzzy", "mine"), ec::none);
  EXPECT_THAT(answer("xyzzy", "yours"), late);
  w.await("incident_closed", "incident:inc-1");
  w.kill_hub();
  w.start();
  EXPECT_EQ(answer("xyzzy", "mine"), ec::none);
  EXPECT_THAT(answer("xyzzy", "yours"), late);
  auto all = w.events("incident:inc-1");
  EXPECT_EQ(std::count_if(
              all.begin(), all.end(),
              [](const json& e) { return e["kind"] == "incident_answered"; }),
            1);
}

TEST_F(Question, IsNotAnsweredByAnAgent) {
  w.add_agent("forward",
              "ao incident answer inc-1 xyzzy 2> \"$HOME/refused\" || true\n");
  begin();
  w.await("incident_asked", "incident:inc-1");
  auto before = incident();
  w.ask({"spawn", w.add_task("Second"), "--agent", "forward"});
  w.await("agent_exited", "session:app-2");
  EXPECT_THAT(kept("refused"), HasSubstr("not_allowed"));
  EXPECT_EQ(incident(), before);
}

TEST_F(Question, IsAskedAgainOfAnAgentThatStillFails) {
  begin();
  auto asked = w.await("incident_asked", "incident:inc-1");
  EXPECT_EQ(w.ao({"incident", "answer", "inc-1", "no idea"}).status.code, 0);
  w.await("incident_asked", "incident:inc-1", asked["seq"]);
  EXPECT_EQ(w.ao({"incident", "answer", "inc-1", "abandon"}).status.code, 0);
  w.await("incident_closed", "incident:inc-1");
  EXPECT_EQ(incident()["state"], "abandoned");
}

TEST_F(Question, OfAnAgentReachesAPersonAndTheAnswerTheAgent) {
  w.add_agent("asker", R"(
cp "$AO_PROMPT_FILE" "$HOME/asked.$AO_RUN"
[ "$AO_RUN" = 1 ] && ao report needs_input --note "Which word?" && exit 0
echo fine > work; git add --all; git commit --quiet --message Asked
)");
  w.start();
  w.ask({"spawn", w.add_task("First"), "--agent", "asker"});
  w.await("incident_asked", "incident:inc-1");
  EXPECT_EQ(incident()["cause"], "needs_input");
  EXPECT_THAT(incident()["question"].get<std::string>(),
              HasSubstr("Which word?"));
  // What is typed to an agent that is about to exit may not reach it.
  w.await("agent_exited", "session:app-1");
  EXPECT_EQ(w.ao({"incident", "answer", "inc-1", "xyzzy"}).status.code, 0);
  w.await("merged", "change:app#1");
  EXPECT_THAT(kept("asked.2"), StartsWith("Answer to inc-1: xyzzy\n"));
  // Its words are told with the status.
  w.await("session_ended", "session:app-1");
  auto status = w.ask({"status", "--include-terminated", "--reports", "full"});
  auto reports = status["data"][0]["reports"];
  ASSERT_EQ(reports.size(), 1u) << status;
  EXPECT_EQ(reports[0]["state"], "needs_input");
  EXPECT_EQ(reports[0]["note"], "Which word?");
  EXPECT_THAT(w.ao({"status", "--include-terminated", "--reports", "1"}).out,
              HasSubstr("Which word?"));
  EXPECT_EQ(w.ao({"status", "--reports", "0"}).status.code, 2);
}

TEST_F(Incident, MakesAnotherTaskOfARedesign) {
  decide({{"verdict", "redesign"},
          {"title", "Say xyzzy"},
          {"body", "Nothing but xyzzy counts."}});
  begin();
  w.await("merged", "change:app#1");
  auto task = w.ask({"task", "show", "T1"});
  EXPECT_EQ(task["title"], "Say xyzzy");
  EXPECT_EQ(task["body"], "Nothing but xyzzy counts.");
  EXPECT_EQ(w.await("task_revised", "task:T1")["actor"], "incident/inc-1");
  EXPECT_THAT(kept("prompt.7"),
              HasSubstr("From now on your task is: Say xyzzy"));
}

TEST(Flake, IsNobodysIncident) {
  world_options o;
  o.project = ", ci: {rerun: true, command: [sh, -c, \"test -e $HOME/ran || "
              "{ touch $HOME/ran; exit 3; }\"]}";
  world w{o};
  w.add_agent("diligent", scripts::diligent);
  w.start();
  w.ask({"spawn", w.add_task("First")});
  w.await("merged", "change:app#1");
  auto again = w.await("ci_rerun", "change:app#1");
  EXPECT_EQ(again["data"]["exitCode"], 3);
  for (const auto& e : w.events()) {
    EXPECT_NE(e["kind"], "ci_failed");
    EXPECT_NE(e["kind"], "incident_opened");
  }
  EXPECT_THAT(w.ao({"why", "T1"}).out,
              HasSubstr("failed, exit status 3, and runs once more"));
}

} // namespace
