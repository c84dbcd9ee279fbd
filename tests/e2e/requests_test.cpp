#include "tests/support/agent_scripts.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <thread>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;

namespace {

class Request : public testing::Test {
protected:
  Request() {
    w.add_agent("sleeper", scripts::sleeper);
    w.start();
  }

  std::size_t count(const std::string& kind) {
    std::size_t n = 0;
    for (const auto& e : w.events())
      n += e["kind"] == kind;
    return n;
  }

  world w;
};

TEST_F(Request, OfASpawnGetsItsFirstAnswerAgain) {
  auto task = w.add_task("Once");
  auto first = w.ask({"spawn", task, "--request-id", "mine"});
  auto again = w.ask({"spawn", task, "--request-id", "mine"});
  EXPECT_EQ(again["id"], first["id"]);
  EXPECT_EQ(again["epoch"], first["epoch"]);
  EXPECT_EQ(again["run"], first["run"]);
  auto text = w.ao({"spawn", task, "--request-id", "mine"});
  EXPECT_EQ(text.status.code, 0) << text.err;
  EXPECT_THAT(text.out, testing::EndsWith("\nSESSION=app-1\n"));
  // Anybody else is refused.
  auto other = w.ao({"spawn", task, "--request-id", "yours"});
  EXPECT_EQ(other.status.code, 4);
  EXPECT_THAT(other.err, HasSubstr("task_already_claimed"));
  EXPECT_EQ(w.ao({"spawn", task}).status.code, 4);
  EXPECT_EQ(count("agent_started"), 1u);
  EXPECT_EQ(count("task_claimed"), 1u);
}

TEST_F(Request, OfAPromptMakesOneTask) {
  std::vector<std::string> words
    = {"spawn", "--prompt", "Do it", "--request-id", "a-request"};
  auto first = w.ask(words);
  auto again = w.ask(words);
  EXPECT_EQ(again["id"], first["id"]);
  EXPECT_EQ(again["task"], first["task"]);
  EXPECT_EQ(w.ask({"task", "ls"})["data"].size(), 1u);
  EXPECT_EQ(count("task_added"), 1u);
  EXPECT_EQ(count("agent_started"), 1u);
}

TEST_F(Request, OfATaskAddsOne) {
  std::vector<std::string> words
    = {"task", "add", "Title", "--request-id", "add-it"};
  auto first = w.ask(words);
  EXPECT_EQ(w.ask(words), first);
  EXPECT_EQ(w.ask({"task", "ls"})["data"].size(), 1u);
  // The same title under another request is another task.
  words.back() = "add-another";
  EXPECT_NE(w.ask(words)["id"], first["id"]);
}

TEST_F(Request, RepeatedAtTheSameTimeIsDoneOnce) {
  auto task = w.add_task("Once");
  std::vector<finished> ends(8);
  std::vector<std::thread> people;
  for (auto& end : ends)
    people.emplace_back([&] {
      end = w.ao({"spawn", task, "--request-id", "same"});
    });
  for (auto& one : people)
    one.join();
  for (const auto& end : ends) {
    EXPECT_EQ(end.status.code, 0) << end.err;
    EXPECT_THAT(end.out, testing::EndsWith("\nSESSION=app-1\n"));
  }
  EXPECT_EQ(count("agent_started"), 1u);
  EXPECT_EQ(count("claim_refused"), 0u);
}

TEST_F(Request, KeepsItsAnswerThroughTheDeathOfTheHub) {
  auto task = w.add_task("Once");
  auto first = w.ask({"spawn", task, "--request-id", "mine"});
  w.kill_hub();
  w.start();
  auto again = w.ask({"spawn", task, "--request-id", "mine"});
  EXPECT_EQ(again["id"], first["id"]);
  EXPECT_EQ(again["epoch"], first["epoch"]);
  EXPECT_EQ(count("task_claimed"), 1u);
}

} // namespace
