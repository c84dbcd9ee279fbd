// Most agents die within a moment, and nobody knows why: restarts wait while
// one is tried, and go on when it lives.

#include "runtime/tmux/tmux.hpp"
#include "tests/support/agent_scripts.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <set>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

constexpr int agents = 6;

class Blast : public testing::Test {
protected:
  Blast() : w(forgiving()) {
    w.add_agent("patient", scripts::patient);
    w.start();
    for (int i = 1; i <= agents; ++i)
      w.ask({"spawn", w.add_task("Task " + std::to_string(i))});
  }

  static world_options forgiving() {
    world_options o;
    o.settings = "limits: {sessions: 64, spawnsPerMinute: 0, "
                 "minFreeMemory: 1MiB, minFreeDisk: 1MiB}\n"
                 "restart: {intensity: 10, period: 1h, delay: 500ms}\n";
    return o;
  }

  static std::string name(int i) { return "app-" + std::to_string(i); }

  json runtime_of(int i) {
    return w.ask({"session", "show", name(i)})["runtime"];
  }

  void expect_all_live_again() {
    for (int i = 1; i <= agents; ++i)
      w.await([i](const json& e) {
        return e["kind"] == "agent_started"
          && e["subject"] == "session:" + name(i) && e["data"]["run"] == 2;
      });
  }

  void expect_all_merged() {
    w.touch("go");
    for (int i = 1; i <= agents; ++i)
      w.await("task_closed", "task:T" + std::to_string(i));
    for (int i = 1; i <= agents; ++i)
      EXPECT_EQ(w.ask({"session", "show", name(i)})["status"], "merged");
  }

  world w;
};

TEST_F(Blast, OfNoKnownCausePausesRestartsAndTriesOne) {
  std::vector<pid_t> all;
  for (int i = 1; i <= agents; ++i)
    all.push_back(runtime_of(i)["pid"].get<pid_t>());
  for (auto pid : all)
    ::kill(pid, SIGKILL);
  auto paused = w.await("restarts_paused", "hub");
  EXPECT_THAT(paused["data"]["reason"].dump(), HasSubstr("agents died"));
  auto resumed = w.await("restarts_resumed", "hub");
  EXPECT_GT(resumed["seq"], paused["seq"]);
  expect_all_live_again();
  // One was tried; the others say that they waited for it.
  std::set<std::string> waited;
  int tried = 0;
  for (const auto& e : w.events()) {
    if (e["seq"] < paused["seq"])
      continue;
    auto reason = e["data"].value("reason", "");
    if (e["kind"] == "session_queued"
        && reason.find("is tried first") != std::string::npos)
      waited.insert(e["subject"]);
    tried += e["kind"] == "agent_started" && e["seq"] < resumed["seq"];
  }
  EXPECT_EQ(tried, 1);
  EXPECT_EQ(waited.size(), agents - 1u);
  auto one = waited.begin()->substr(std::string{"session:"}.size());
  EXPECT_THAT(w.ao({"why", one}).out, HasSubstr("is tried first"));
  expect_all_merged();
}

TEST_F(Blast, OfTheTmuxServerPausesNothing) {
  tmux_place place;
  place.socket = w.ask({"session", "show", name(1)})["tmux"]["socket"];
  tmux_server server{place};
  auto pid = server.server_pid();
  ASSERT_TRUE(pid);
  ::kill(*pid, SIGKILL);
  expect_all_live_again();
  expect_all_merged();
  for (const auto& e : w.events())
    EXPECT_NE(e["kind"], "restarts_paused");
}

TEST_F(Blast, ThatIsOurOwnStopPausesNothing) {
  ASSERT_EQ(w.ao({"stop", "--agents"}).status.code, 0);
  ASSERT_EQ(w.ao({"start", "--restore"}).status.code, 0);
  expect_all_live_again();
  expect_all_merged();
  for (const auto& e : w.events())
    EXPECT_NE(e["kind"], "restarts_paused");
}

TEST_F(Blast, OfTheHostPausesNothing) {
  w.kill_hub();
  w.lose_power();
  w.start();
  expect_all_live_again();
  expect_all_merged();
  for (const auto& e : w.events())
    EXPECT_NE(e["kind"], "restarts_paused");
}

} // namespace
