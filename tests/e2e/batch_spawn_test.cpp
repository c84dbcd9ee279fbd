#include "tests/support/agent_scripts.hpp"
#include "tests/support/batch_run.hpp"

#include <gmock/gmock.h>

#include <fstream>

using namespace ao;
using nlohmann::json;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

std::vector<std::string> column(const json& rows, const char* member) {
  std::vector<std::string> out;
  for (const auto& row : rows)
    out.push_back(row.value(member, ""));
  return out;
}

TEST(BatchSpawn, OfFifteenTasksBringsThemAllHome) {
  world w;
  w.add_agent("diligent", scripts::diligent);
  w.start();
  EXPECT_THAT(run_batch(w, 15), IsEmpty());
  EXPECT_THAT(leftovers(w), IsEmpty());
  EXPECT_EQ(w.git(w.forge(), {"rev-list", "--count", "main"}), "16");
}

TEST(BatchSpawn, TellsWhatWasCreatedSkippedAndFailed) {
  world_options options;
  options.project = ", tracker: {plugin: file, path: b.md}";
  world w{options};
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  auto taken = w.add_task("Taken");
  auto closed = w.add_task("Closed");
  ASSERT_EQ(w.ao({"spawn", taken}).status.code, 0);
  ASSERT_EQ(w.ao({"task", "cancel", closed}).status.code, 0);
  std::ofstream{w.checkout() / "b.md"} << "- [ ] A: One\n- [ ] B: Two\n";

  auto end = w.ao({"batch-spawn", "A", taken, "nobody", "B", "app/A", closed,
                   "T99", "--json"});
  EXPECT_EQ(end.status.code, 1) << end.err;
  auto data = json::parse(end.out)["data"];
  EXPECT_THAT(column(data["created"], "issue"), ElementsAre("A", "B"));
  auto sessions = column(data["created"], "session");
  EXPECT_THAT(sessions, testing::UnorderedElementsAre("app-2", "app-3"));
  const auto& skipped = data["skipped"];
  EXPECT_THAT(column(skipped, "issue"), ElementsAre(taken, "app/A", closed));
  EXPECT_THAT(column(skipped, "reason"),
              ElementsAre("task_already_claimed", "repeated", "task_closed"));
  EXPECT_EQ(skipped[0]["holder"], "app-1");
  EXPECT_EQ(skipped[1]["holder"], sessions[0]);
  EXPECT_EQ(skipped[2]["holder"], nullptr);
  const auto& failed = data["failed"];
  EXPECT_THAT(column(failed, "issue"), ElementsAre("nobody", "T99"));
  EXPECT_THAT(column(failed, "error"),
              ElementsAre("no_such_task", "no_such_task"));
  EXPECT_EQ(failed[1]["detail"], "no task is called T99");
  for (const auto& session : sessions)
    EXPECT_EQ(w.ask({"session", "show", session})["status"], "working");

  // Again: all are taken now, which is no failure.
  auto again = w.ao({"batch-spawn", "A", "B"});
  EXPECT_EQ(again.status.code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("Created: 0\n"));
  EXPECT_THAT(again.out, HasSubstr("Skipped: 2\n"));
  EXPECT_THAT(again.out, HasSubstr("task_already_claimed"));
  EXPECT_THAT(again.out, EndsWith("Failed: 0\n"));
  EXPECT_EQ(w.ao({"batch-spawn"}).status.code, 2);
}

TEST(BatchSpawn, CreatesQueuedSessionsBeyondTheCaps) {
  world_options options;
  options.project = ", limits: {sessions: 2}";
  world w{options};
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  auto end = w.ao({"batch-spawn", w.add_task("A"), w.add_task("B"),
                   w.add_task("C"), "--json"});
  EXPECT_EQ(end.status.code, 0) << end.err;
  auto created = json::parse(end.out)["data"]["created"];
  ASSERT_EQ(created.size(), 3u);
  auto statuses = column(created, "status");
  EXPECT_EQ(std::count(statuses.begin(), statuses.end(), "working"), 2);
  for (const auto& row : created)
    if (row["status"] == "queued") {
      EXPECT_EQ(row["reason"], "all 2 slots of project app are taken");
    }
}

TEST(BatchSpawn, RepeatsItsAnswersUnderTheSameRequest) {
  world w;
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  std::vector<std::string> words
    = {"batch-spawn", "--request-id", "mine", w.add_task("A"), w.add_task("B")};
  auto first = w.ask(words);
  auto again = w.ask(words);
  EXPECT_EQ(again, first);
  EXPECT_EQ(first["data"]["created"].size(), 2u);
}

TEST(BatchSpawn, NamesTheStepThatFailed) {
  world_options options;
  options.project = ", postCreate: ['exit 7']";
  world w{options};
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  auto end = w.ao({"batch-spawn", w.add_task("A"), "--json"});
  EXPECT_EQ(end.status.code, 1) << end.err;
  auto failed = json::parse(end.out)["data"]["failed"];
  ASSERT_EQ(failed.size(), 1u) << end.out;
  EXPECT_EQ(failed[0]["error"], "saga_failed");
  EXPECT_THAT(failed[0]["detail"].dump(), HasSubstr("app-1 is errored"));
}

} // namespace
