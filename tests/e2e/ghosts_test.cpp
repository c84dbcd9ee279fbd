// What lies about when a hub starts and does not fit its rows: found, told
// once, settled where it is ours to settle, and never touched where not.

#include "runtime/process/process_table.hpp"
#include "tests/support/agent_scripts.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>

using namespace ao;
using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
namespace fs = std::filesystem;

namespace {

class Ghosts : public testing::Test {
protected:
  Ghosts() {
    w.add_agent("patient", scripts::patient);
    w.start();
  }

  /// Runs tmux on this home's first server.
  void tmux(std::vector<std::string> words) {
    process_spec spec;
    spec.argv = {"tmux", "-f", "/dev/null", "-S",
                 (w.home() / "run/tmux-0.sock").string()};
    spec.argv.insert(spec.argv.end(), words.begin(), words.end());
    spec.env = w.variables().to_vector();
    spec.cwd = w.root().string();
    auto end = run(spec, world::patience);
    EXPECT_TRUE(end && end->ok()) << (end ? end->err : "");
  }

  /// A pane that no hub has made.
  void plant_pane(const std::string& name) {
    tmux({"new-session", "-d", "-s", name, "sleep 1000"});
  }

  /// Kinds of the findings about `session` so far.
  std::vector<std::string> findings(const std::string& session) {
    std::vector<std::string> out;
    for (const auto& e : w.events("session:" + session))
      if (e["kind"] == "foreign_found" || e["kind"] == "ghost_found")
        out.push_back(e["kind"]);
    return out;
  }

  /// Waits until the pane is closed; nothing tells that.
  void expect_closed(const std::string& pane) {
    auto until = std::chrono::steady_clock::now() + world::patience;
    auto there = [&] {
      auto all = w.panes();
      return std::find(all.begin(), all.end(), pane) != all.end();
    };
    while (there())
      if (std::chrono::steady_clock::now() > until)
        FAIL() << pane << " is still there";
  }

  /// Starts the hub anew and waits until it has looked at everything: a pane
  /// that no row knows is looked at last.
  void start_again(const std::string& last) {
    w.kill_hub();
    plant_pane(last);
    w.start();
    w.await("foreign_found", "session:" + last);
  }

  world w;
};

TEST_F(Ghosts, ThatNoRowKnowsAreToldOnceAndNeverTouched) {
  w.kill_hub();
  plant_pane("alien-1");
  fs::create_directories(w.worktree("alien-2"));
  std::ofstream{w.worktree("alien-2") / "precious.txt"} << "kept\n";
  w.start();
  auto pane = w.await("foreign_found", "session:alien-1");
  EXPECT_EQ(pane["data"]["parts"], "pane");
  auto worktree = w.await("foreign_found", "session:alien-2");
  EXPECT_EQ(worktree["data"]["parts"], "worktree");
  start_again("alien-9");
  EXPECT_THAT(findings("alien-1"), ElementsAre("foreign_found"));
  EXPECT_THAT(findings("alien-2"), ElementsAre("foreign_found"));
  EXPECT_THAT(w.panes(), Contains("alien-1"));
  EXPECT_EQ(content_of(w.worktree("alien-2") / "precious.txt"), "kept\n");
  // One that has become more is another finding.
  w.kill_hub();
  fs::create_directories(w.worktree("alien-1"));
  w.start();
  w.await([](const json& e) {
    return e["kind"] == "foreign_found"
      && e["data"]["parts"] == "pane, worktree";
  });
}

TEST_F(Ghosts, OfADatabaseThatIsLostGoOnWorking) {
  w.ask({"spawn", w.add_task("First")});
  auto runtime = w.ask({"session", "show", "app-1"})["runtime"];
  auto agent = runtime["pid"].get<pid_t>();
  auto shim = runtime["shimPid"].get<pid_t>();
  w.kill_hub();
  for (const auto* file : {"ao.db", "ao.db-wal", "ao.db-shm"})
    fs::remove(w.home() / file);
  w.start();
  auto found = w.await("foreign_found", "session:app-1");
  EXPECT_EQ(found["data"]["parts"], "pane, shim, worktree, directory");
  start_again("alien-9");
  EXPECT_THAT(findings("app-1"), ElementsAre("foreign_found"));
  EXPECT_TRUE(process_of(agent));
  EXPECT_TRUE(process_of(shim));
  EXPECT_TRUE(fs::exists(w.worktree("app-1")));
}

TEST_F(Ghosts, OfAnEndedSessionAreStopped) {
  w.ask({"spawn", w.add_task("First")});
  ASSERT_EQ(w.ao({"session", "kill", "app-1"}).status.code, 0);
  w.await("agent_exited", "session:app-1");
  w.kill_hub();
  plant_pane("app-1");
  plant_pane("alien-1");
  w.start();
  auto ghost = w.await("ghost_found", "session:app-1");
  EXPECT_EQ(ghost["data"]["parts"], "pane, worktree, directory");
  w.await([](const json& e) {
    return e["subject"] == "session:alien-1" && e["kind"] == "foreign_found";
  });
  expect_closed("app-1");
  start_again("alien-9");
  EXPECT_THAT(findings("app-1"), ElementsAre("ghost_found"));
  EXPECT_THAT(w.panes(), Contains("alien-1"));
  EXPECT_EQ(w.ask({"session", "show", "app-1"})["status"], "killed");
}

TEST_F(Ghosts, ThatAreRowsAloneAreSettledOnce) {
  w.ask({"spawn", w.add_task("First")});
  auto runtime = w.ask({"session", "show", "app-1"})["runtime"];
  w.kill_hub();
  for (const auto* name : {"shimPid", "pid"}) {
    auto pid = runtime[name].get<pid_t>();
    ::kill(pid, SIGKILL);
    expect_ends(pid);
  }
  w.start();
  auto ended = w.await("agent_exited", "session:app-1");
  auto again = w.await([&](const json& e) {
    return e["kind"] == "agent_started" && e["data"]["run"] == 2;
  });
  EXPECT_GT(again["seq"], ended["seq"]);
  start_again("alien-9");
  EXPECT_EQ(w.ask({"session", "show", "app-1"})["run"], 2);
  int ends = 0;
  for (const auto& e : w.events("session:app-1"))
    ends += e["kind"] == "agent_exited";
  EXPECT_EQ(ends, 1);
  EXPECT_THAT(findings("app-1"), IsEmpty());
  w.touch("go");
  w.await("task_closed", "task:T1");
}

} // namespace
