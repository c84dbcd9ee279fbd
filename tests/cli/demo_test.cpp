#include "cli/demo/assets.hpp"
#include "cli/demo/progress.hpp"
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

TEST_F(DemoTally, TakesAnEventOnce) {
  take("agent_restarted", {{"reason", "crash"}});
  seq -= 1;
  take("agent_restarted", {{"reason", "crash"}});
  EXPECT_EQ(events.restarts(), 1u);
}

TEST(DemoScenario, TheBuiltInOneHasARecipeForEveryTask) {
  std::map<std::string_view, std::string_view> files;
  for (const auto& one : assets())
    files[one.path] = one.text;
  ASSERT_TRUE(files.count("scenario.json"));
  auto what = read_scenario(files["scenario.json"]);
  ASSERT_TRUE(what) << to_string(what.error());
  for (const auto& one : what->tasks) {
    auto name = one.title;
    for (auto& c : name)
      c = c == ' ' ? '-' : static_cast<char>(std::tolower(c));
    EXPECT_TRUE(files.count("recipes/" + name + ".sh")) << name;
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

TEST(DemoProgress, SaysEventsInWords) {
  EXPECT_EQ(in_words({{"kind", "merged"},
                      {"data",
                       {{"change", "x#1"},
                        {"sha", "0123456789abcdef0123456789abcdef01234567"}}}}),
            "x#1 is merged as 0123456789ab");
  EXPECT_EQ(in_words({{"kind", "session_step"}, {"data", json::object()}}), "");
}

} // namespace
