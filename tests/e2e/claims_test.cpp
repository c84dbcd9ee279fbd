#include "tests/support/agent_scripts.hpp"
#include "tests/support/claim_contest.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <thread>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

TEST(Spawn, OfOneTaskTwiceAtOnceStartsOneAgent) {
  world w;
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  constexpr std::size_t issues = 20;
  std::vector<std::string> tasks;
  for (std::size_t i = 0; i < issues; ++i)
    tasks.push_back(w.add_task("Issue " + std::to_string(i)));
  // All forty at once, as forty people would.
  std::vector<finished> ends(2 * issues);
  std::vector<std::thread> people;
  for (std::size_t i = 0; i < ends.size(); ++i)
    people.emplace_back([&, i] { ends[i] = w.ao({"spawn", tasks[i / 2]}); });
  for (auto& one : people)
    one.join();

  auto sessions = w.ask({"session", "ls"})["data"];
  EXPECT_EQ(sessions.size(), issues);
  std::set<std::string> started;
  for (std::size_t i = 0; i < issues; ++i) {
    auto won = ends[2 * i], lost = ends[2 * i + 1];
    if (won.status.code != 0)
      std::swap(won, lost);
    ASSERT_EQ(won.status.code, 0) << won.err;
    auto at = won.out.rfind("SESSION=");
    ASSERT_NE(at, std::string::npos) << won.out;
    auto session = won.out.substr(at + 8, won.out.size() - at - 9);
    EXPECT_TRUE(started.insert(session).second) << session;
    EXPECT_EQ(lost.status.code, 4) << lost.err;
    EXPECT_THAT(lost.out, IsEmpty());
    EXPECT_THAT(lost.err, HasSubstr("task_already_claimed"));
    EXPECT_THAT(lost.err, HasSubstr(session));
    auto key = w.ask({"task", "show", tasks[i]})["key"].get<std::string>();
    EXPECT_THAT(lost.err, HasSubstr(key));
    EXPECT_EQ(w.ask({"task", "show", tasks[i]})["session"], session);
  }
  // Some were told to wait for the others' starts.
  for (const auto& session : started)
    w.await("agent_started", "session:" + session);
  // Not a moment of a second agent either.
  std::size_t claims = 0, refusals = 0, agents = 0;
  for (const auto& e : w.events()) {
    claims += e["kind"] == "task_claimed";
    refusals += e["kind"] == "claim_refused";
    agents += e["kind"] == "agent_started";
  }
  EXPECT_EQ(claims, issues);
  EXPECT_EQ(refusals, issues);
  EXPECT_EQ(agents, issues);
  // And a program can read it.
  auto again = w.ao({"spawn", tasks[0], "--json"});
  EXPECT_EQ(again.status.code, 4);
  auto problem = json::parse(again.out, nullptr, false);
  ASSERT_TRUE(problem.is_object()) << again.out;
  EXPECT_EQ(problem["error"], "task_already_claimed");
  EXPECT_EQ(problem["task"], tasks[0]);
  EXPECT_EQ(problem["holder"], w.ask({"task", "show", tasks[0]})["session"]);
  EXPECT_EQ(problem["epoch"], 1);
}

TEST(Claims, OfManyClientsAreGrantedOnceEach) {
  world w;
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  claim_contest contest;
  auto answers = hold(contest, w);
  EXPECT_THAT(objections(contest, answers, w.events()), IsEmpty());
}

TEST(Claims, AreGrantedAgainUnderAHigherEpoch) {
  world w;
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  auto task = w.add_task("By hand");
  auto api = w.api();
  auto claim = "/api/v1/tasks/" + task + "/claim";
  epoch_no last = 0;
  std::set<std::string> sessions;
  for (int i = 0; i < 3; ++i) {
    auto held = api.call("POST", claim, {{"requestId", std::to_string(i)}});
    ASSERT_TRUE(held) << to_string(held.error());
    EXPECT_EQ(held->status, 201);
    EXPECT_GT(held->body["epoch"], last);
    last = held->body["epoch"].get<epoch_no>();
    auto session = held->body["session"].get<std::string>();
    EXPECT_TRUE(sessions.insert(session).second) << session;
    EXPECT_EQ(w.ask({"session", "show", session})["role"], "manual");
    auto ended = w.ao({"session", "kill", session});
    ASSERT_EQ(ended.status.code, 0) << ended.err;
    auto retried = w.ao({"task", "retry", task});
    ASSERT_EQ(retried.status.code, 0) << retried.err;
  }
}

TEST(Claims, RepeatTheirAnswerUnderTheSameRequest) {
  world w;
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  auto task = w.add_task("By hand");
  auto api = w.api();
  auto claim = "/api/v1/tasks/" + task + "/claim";
  auto first = api.call("POST", claim, {{"requestId", "mine"}});
  ASSERT_TRUE(first) << to_string(first.error());
  EXPECT_EQ(first->status, 201);
  auto again = api.call("POST", claim, {{"requestId", "mine"}});
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(again->status, 200);
  EXPECT_EQ(again->body, first->body);
  // The header says the same as the member.
  auto header
    = api.call("POST", claim, json::object(), {{"Idempotency-Key", "mine"}});
  ASSERT_TRUE(header) << to_string(header.error());
  EXPECT_EQ(header->body, first->body);
  auto other = api.call("POST", claim, {{"requestId", "yours"}});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ec::task_already_claimed);
}

} // namespace
