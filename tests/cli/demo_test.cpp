#include "cli/demo/assets.hpp"
#include "cli/demo/progress.hpp"
#include "cli/demo/question.hpp"
#include "cli/demo/scenario.hpp"
#include "cli/demo/tally.hpp"

#include <gtest/gtest.h>

using namespace ao;
using namespace ao::cli::demo;
using nlohmann::json;

namespace {

/// Events of task T1 in session x-1, numbered and timed one second apart.
class DemoTally : public testing::Test {
protected:
  DemoTally() { events.follow("T1", "Sing"); }

  void take(const std::string& kind, json data,
            const std::string& subject = "session:x-1") {
    data["task"] = "T1";
    seq += 1;
    auto at = wall_time{} + std::chrono::seconds{seq};
    events.take({{"seq", seq},
                 {"at", format_time(at)},
                 {"subject", subject},
                 {"kind", kind},
                 {"data", data}});
  }

  const task_facts& task() const { return events.tasks().front(); }

  tally events;
  std::uint64_t seq = 0;
};

TEST_F(DemoTally, MeasuresTheQueueAndEveryRun) {
  take("task_ready", {{"state", "ready"}}, "task:T1");
  take("session_queued", {{"session", "x-1"}, {"agent", "a"}});
  take("session_spawned", json::object());
  take("agent_started", {{"run", 1}});
  take("agent_exited", json::object());
  take("agent_restarted", {{"reason", "crash"}});
  take("agent_started", {{"run", 2}});
  take("agent_exited", json::object());
  EXPECT_EQ(task().queued, milliseconds{2000});
  EXPECT_EQ(task().worked, milliseconds{2000});
  EXPECT_EQ(task().runs, 2u);
  EXPECT_EQ(task().session, "x-1");
  EXPECT_EQ(task().agent, "a");
  EXPECT_EQ(events.restarts(), 1u);
}

TEST_F(DemoTally, CountsACrashAsResumedOnlyWhenTheTaskIsMerged) {
  take("agent_restarted", {{"reason", "crash"}});
  EXPECT_EQ(events.resumed_after("crash"), 0u);
  take("task_closed", {{"state", "merged"}}, "task:T1");
  EXPECT_EQ(events.resumed_after("crash"), 1u);
  EXPECT_EQ(events.resumed_after("hang"), 0u);
}

TEST_F(DemoTally, CountsChecksAsRepairedOnlyWhenTheTaskIsMerged) {
  take("ci_failed", json::object(), "change:x#1");
  EXPECT_EQ(events.repaired(), 0u);
  take("task_closed", {{"state", "merged"}}, "task:T1");
  EXPECT_EQ(events.repaired(), 1u);
}

TEST_F(DemoTally, CountsWhatAMediatorAndAPersonHaveBroughtOn) {
  take("ci_failed", json::object(), "change:x#1");
  take("incident_opened", {{"attempts", 0}}, "incident:inc-3");
  take("incident_escalated", {{"attempts", 5}, {"round", 1}}, "incident:inc-3");
  take("incident_answered", {{"verdict", "ask_human"}}, "incident:inc-3");
  take("incident_escalated", {{"attempts", 5}, {"to", "human"}},
       "incident:inc-3");
  take("incident_asked", json::object(), "incident:inc-3");
  take("incident_answered", {{"answer", "yes"}}, "incident:inc-3");
  EXPECT_EQ(events.asked(), 1u);
  EXPECT_TRUE(events.has_asked("inc-3"));
  EXPECT_FALSE(events.has_asked("inc-4"));
  EXPECT_EQ(events.answered(), 0u);
  EXPECT_EQ(events.self_heals(), 0u);
  take("task_closed", {{"state", "merged"}}, "task:T1");
  EXPECT_EQ(events.answered(), 1u);
  EXPECT_EQ(events.self_heals(), 5u);
  EXPECT_EQ(events.mediated(), 0u) << "it has only passed the question on";
  EXPECT_EQ(events.repaired(), 0u) << "not by itself";
  take("incident_answered", {{"verdict", "advise"}}, "incident:inc-3");
  EXPECT_EQ(events.mediated(), 1u);
}

TEST_F(DemoTally, FindsTheIncidentOfAnEvent) {
  json by_subject{{"subject", "incident:inc-3"}};
  json by_sender{{"subject", "session:x-1"},
                 {"data", {{"sender", "incident/inc-4"}}}};
  json by_task{{"subject", "change:x#1"}, {"data", {{"task", "T1"}}}};
  EXPECT_EQ(events.incident_of(by_subject), "inc-3");
  EXPECT_EQ(events.incident_of(by_sender), "inc-4");
  EXPECT_EQ(events.incident_of(by_task), "");
  take("incident_opened", json::object(), "incident:inc-3");
  EXPECT_EQ(events.incident_of(by_task), "inc-3");
}

TEST_F(DemoTally, SaysWhichAttemptItIsUntilOneHelps) {
  json told{{"kind", "message_queued"},
            {"data", {{"task", "T1"}, {"sender", "incident/inc-3"}}}};
  EXPECT_EQ(attempt_in_words(told, events), "");
  take("message_queued", told["data"]);
  EXPECT_EQ(attempt_in_words(told, events), "is told what fails, attempt 1");
  events.limit("inc-3", 5);
  take("message_queued", told["data"]);
  EXPECT_EQ(attempt_in_words(told, events),
            "is told what fails, attempt 2 of 5");
  take("incident_escalated", {{"attempts", 2}}, "incident:inc-3");
  EXPECT_EQ(attempt_in_words(told, events), "");
}

TEST_F(DemoTally, DoesNotWaitForWhatIsBlockedByALostTask) {
  events.follow("T2", "Dance");
  take("task_added", {{"task", "T1"}, {"state", "ready"}}, "task:T1");
  events.take({{"seq", ++seq},
               {"at", format_time(wall_time{})},
               {"subject", "task:T2"},
               {"kind", "task_added"},
               {"data", {{"task", "T2"}, {"state", "blocked"}}}});
  EXPECT_FALSE(events.settled());
  take("task_closed", {{"state", "cancelled"}}, "task:T1");
  EXPECT_TRUE(events.settled());
}

TEST_F(DemoTally, IsSettledWhenTheMergedIsCleanedUp) {
  take("task_closed", {{"state", "merged"}}, "task:T1");
  EXPECT_FALSE(events.settled());
  take("session_cleaned", json::object());
  EXPECT_TRUE(events.settled());
}

TEST_F(DemoTally, IsSettledWhenNobodyWillAnswerTheAgent) {
  take("needs_input", {{"reason", "dirty"}});
  EXPECT_TRUE(events.settled());
  take("agent_started", {{"run", 2}});
  EXPECT_FALSE(events.settled());
}

TEST_F(DemoTally, CountsNodesThatAreLostAndComeBack) {
  auto of_node = [&](const std::string& kind, const std::string& node) {
    events.take({{"seq", ++seq},
                 {"at", format_time(wall_time{})},
                 {"subject", "node:" + node},
                 {"kind", kind},
                 {"data", {{"node", node}}}});
  };
  for (const auto* node : {"n1", "n2"})
    of_node("node_joined", node);
  // Being connected again is no return of one that was never lost.
  of_node("node_returned", "n2");
  EXPECT_TRUE(events.nodes_returned().empty());
  of_node("node_lost", "n1");
  EXPECT_EQ(events.nodes_here(), std::set<std::string>{"n2"});
  of_node("node_returned", "n1");
  EXPECT_EQ(events.nodes_lost(), std::set<std::string>{"n1"});
  EXPECT_EQ(events.nodes_returned(), std::set<std::string>{"n1"});
  take("session_lost", {{"reason", "its node"}});
  EXPECT_EQ(events.replaced(), 0u);
  take("task_closed", {{"state", "merged"}}, "task:T1");
  EXPECT_EQ(events.replaced(), 1u);
}

TEST_F(DemoTally, TakesAnEventOnce) {
  take("agent_restarted", {{"reason", "crash"}});
  seq -= 1;
  take("agent_restarted", {{"reason", "crash"}});
  EXPECT_EQ(events.restarts(), 1u);
}

TEST(DemoScenario, TheBuiltInOnesHaveARecipeForEveryTask) {
  std::map<std::string_view, std::string_view> files;
  for (const auto& one : assets())
    files[one.path] = one.text;
  for (const auto* file : {"scenario.json", "nodes.json"}) {
    ASSERT_TRUE(files.count(file));
    auto what = read_scenario(files[file]);
    ASSERT_TRUE(what) << to_string(what.error());
    for (const auto& one : what->tasks) {
      auto name = one.title;
      for (auto& c : name)
        c = c == ' ' ? '-' : static_cast<char>(std::tolower(c));
      EXPECT_TRUE(files.count("recipes/" + name + ".sh")) << name;
    }
  }
}

TEST(DemoScenario, RefusesANeedThatIsNotAbove) {
  auto what = read_scenario(
    R"({"project":"p","tasks":[{"title":"a","body":"","needs":["b"]}]})");
  ASSERT_FALSE(what);
  EXPECT_EQ(what.error().code, ec::bad_input);
}

TEST(DemoScenario, RefusesAnUnknownDeed) {
  auto what = read_scenario(
    R"({"project":"p","tasks":[{"title":"a","body":""}],
        "acts":[{"when":"x","task":"a","do":"dance"}]})");
  ASSERT_FALSE(what);
  EXPECT_NE(what.error().context.find("dance"), std::string::npos);
}

constexpr const char* question = "[AO ACTION] x-1 incident_asked\n"
                                 "Case inc-2\n"
                                 "Which one?\n"
                                 "Code: none of these\n"
                                 "Options: red | deep blue\n"
                                 "Code: ABCD2345\n"
                                 "Answer: ao incident answer inc-2 …\n";

TEST(DemoLetter, IsReadAsAPersonReadsIt) {
  auto read = read_letter(question);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->is_question());
  EXPECT_EQ(read->kind, "incident_asked");
  EXPECT_EQ(read->case_id, "inc-2");
  EXPECT_EQ(read->code, "ABCD2345");
  EXPECT_EQ(read->options, (std::vector<std::string>{"red", "deep blue"}));
  auto end = read_letter("[AO INFO] x-1 incident_closed\nCase inc-2\nOver.\n");
  ASSERT_TRUE(end);
  EXPECT_FALSE(end->is_question());
  EXPECT_FALSE(read_letter(""));
  EXPECT_FALSE(read_letter("[AO INFO] x-1 test\nHello\n"));
}

TEST(DemoLetter, IsAnsweredByNumberByTextOrByNothing) {
  auto of = *read_letter(question);
  EXPECT_EQ(meant(of, "\n"), "red");
  EXPECT_EQ(meant(of, " 2\n"), "deep blue");
  EXPECT_EQ(meant(of, "sea green\n"), "sea green");
  EXPECT_EQ(meant(of, "3\n"), std::nullopt);
  EXPECT_EQ(meant(of, "0\n"), std::nullopt);
  of.options.clear();
  EXPECT_EQ(meant(of, "\n"), std::nullopt);
}

TEST(DemoProgress, SaysEventsInWords) {
  EXPECT_EQ(in_words({{"kind", "merged"},
                      {"data",
                       {{"change", "x#1"},
                        {"sha", "0123456789abcdef0123456789abcdef01234567"}}}}),
            "x#1 is merged as 0123456789ab");
  EXPECT_EQ(in_words({{"kind", "session_step"}, {"data", json::object()}}), "");
  EXPECT_EQ(in_words({{"kind", "incident_escalated"},
                      {"data", {{"attempts", 5}, {"round", 1}}}}),
            "a mediator is called, after 5 attempts");
  EXPECT_EQ(in_words({{"kind", "incident_escalated"},
                      {"data", {{"attempts", 5}, {"to", "human"}}}}),
            "a human is needed");
}

} // namespace
