// A lost node is back while what it had goes on elsewhere: whose work counts.

#include "tests/support/agent_scripts.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <fstream>
#include <thread>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

/// Says why it was started, does what `work` says of its epoch, then waits for
/// `$HOME/<epoch>` and commits a file of its own.
std::string agent(const std::string& work) {
  return "echo \"${AO_RESUME_REASON:-}\" > \"$HOME/reason.$AO_EPOCH.$AO_RUN\"\n"
         "case \"$AO_EPOCH\" in\n"
    + work + "esac\ntouch \"$HOME/begun.$AO_EPOCH\"\n"
    + scripts::waits_for("$AO_EPOCH") + scripts::diligent;
}

/// What `git` commits, as lines of that.
const std::string two_commits
  = "echo a > a.txt; git add a.txt; git commit -qm A\n"
    "echo b > b.txt; git add b.txt; git commit -qm B\n";

/// The node is lost soon, and what it had goes on at the hub's own.
class ClusterReturn : public cluster_fixture {
protected:
  explicit ClusterReturn(const std::string& disconnect = {})
      : cluster_fixture(
        "heartbeat: 200ms, suspectAfter: 1s, lostAfter: 4s, lease: 6s", "4s",
        disconnect) {}

  /// A session of a new task on the node, which has begun there.
  void begin_on_node(const std::string& script,
                     const std::vector<std::string>& hub_words = {}) {
    begin(script, hub_words);
    task = w.add_task("Write a file");
    ASSERT_EQ(spawn(task), "app-1");
    w.await_file("begun.1");
  }

  /// Waits until an agent of the session lives under the grant; the event.
  json await_agent(int epoch, std::uint64_t after = 0) const {
    return w.await(
      [epoch](const json& e) {
        return e["kind"] == "agent_started" && e["epoch"] == epoch;
      },
      after);
  }

  /// Freezes the node until its session has begun elsewhere under this grant;
  /// the loss.
  json lose(int epoch = 2) {
    auto at = w.last_event();
    n.freeze();
    auto lost = w.await("node_lost", "node:worker", at);
    await_agent(epoch, at);
    w.await_file("begun." + std::to_string(epoch));
    return lost;
  }

  json show() const { return w.ask({"session", "show", "app-1"}); }

  /// Lets the agent of this grant come to its end, and looks at what is merged.
  void finish(int epoch) {
    w.touch(std::to_string(epoch));
    w.await("session_cleaned", "session:app-1");
    auto t = w.ask({"task", "show", task});
    EXPECT_EQ(t["state"], "merged");
    EXPECT_EQ(t["epoch"], epoch);
    EXPECT_EQ(of_kind("merged").size(), 1u);
    EXPECT_EQ(w.git(w.forge(), {"rev-list", "--count", "main"}), "2");
    EXPECT_EQ(merged("app-1.txt"), "by app-1");
  }

  std::string merged(const std::string& file) const {
    return w.git(w.forge(), {"show", "main:" + file});
  }

  bool is_merged(const std::string& file) const {
    return w.try_git(w.forge(), {"show", "main:" + file}).ok();
  }

  std::string kept(const fs::path& home, const std::string& ref,
                   const std::string& file) const {
    return w.git(home / "repos/app.git",
                 {"show", "refs/ao/parked/app-1/" + ref + ":" + file});
  }

  std::string reason(int epoch, int run) const {
    std::ifstream in{
      w.user()
      / ("reason." + std::to_string(epoch) + "." + std::to_string(run))};
    std::string out;
    std::getline(in, out);
    return out;
  }

  /// Whose work counted, and why.
  json verdict() const {
    auto all = of_kind("session_reconciled");
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? json::object() : all.front()["data"];
  }

  std::string task;
};

TEST_F(ClusterReturn, TheTaskGoesBackToItsWork) {
  begin_on_node(
    agent("1) echo draft > draft.txt;;\n2) echo two > two.txt;;\n"));
  auto lost = lose();
  auto loser = show()["runtime"]["pid"].get<pid_t>();
  n.thaw();
  auto parted = w.await("session_disowned", "session:app-1", lost["seq"]);
  expect_ends(loser);
  EXPECT_EQ(parted["data"]["node"], "local");
  EXPECT_EQ(parted["data"]["ref"], "refs/ao/parked/app-1/e2-r2");
  EXPECT_THAT(parted["data"]["reason"].get<std::string>(),
              HasSubstr("app-1 goes back to worker"));
  await_agent(3);
  auto row = show();
  EXPECT_EQ(row["node"], "worker");
  EXPECT_EQ(row["run"], 3);
  EXPECT_EQ(verdict()["kept"], "original");
  EXPECT_EQ(kept(w.home(), "e2-r2", "two.txt"), "two");
  EXPECT_FALSE(fs::exists(w.home() / "worktrees/app-1"));
  EXPECT_THAT(w.ao({"why", task}).out,
              HasSubstr("the original is kept, on worker: keep_original"));
  finish(3);
  EXPECT_EQ(reason(3, 3), "hub");
  EXPECT_EQ(merged("draft.txt"), "draft");
  EXPECT_FALSE(is_merged("two.txt"));
  EXPECT_EQ(of_kind("session_disowned").size(), 1u);
}

TEST_F(ClusterReturn, WhatHasDeliveredStays) {
  begin_on_node(agent("1) echo draft > draft.txt;;\n"
                      "2) echo two > two.txt; git add two.txt\n"
                      "git commit -qm Two; git push -q;;\n"));
  auto lost = lose();
  auto winner = show()["runtime"]["pid"];
  n.thaw();
  auto parted = w.await("session_disowned", "session:app-1", lost["seq"]);
  EXPECT_EQ(parted["data"]["node"], "worker");
  EXPECT_EQ(kept(n.home(), "e1-r1", "draft.txt"), "draft");
  EXPECT_EQ(show()["runtime"]["pid"], winner) << "it does not notice";
  EXPECT_EQ(verdict()["kept"], "replacement");
  EXPECT_EQ(verdict()["reason"], "the replacement has delivered");
  finish(2);
  EXPECT_EQ(merged("two.txt"), "two");
  EXPECT_FALSE(is_merged("draft.txt"));
}

/// Its hub dies as soon as this event is there.
class ClusterReturnDeaths : public ClusterReturn,
                            public testing::WithParamInterface<const char*> {};

TEST_P(ClusterReturnDeaths, OfTheHubLeadToTheSameEnd) {
  begin_on_node(
    agent("1) echo draft > draft.txt;;\n2) echo two > two.txt;;\n"));
  auto lost = lose();
  n.thaw();
  w.await(
    [](const json& e) {
      auto what = e["kind"].get<std::string>();
      return what == GetParam()
        && (what != "task_claimed" || e["epoch"].get<int>() == 3);
    },
    lost["seq"]);
  w.kill_hub();
  w.start();
  await_agent(3);
  EXPECT_EQ(show()["node"], "worker");
  EXPECT_EQ(verdict()["kept"], "original");
  EXPECT_EQ(kept(w.home(), "e2-r2", "two.txt"), "two");
  finish(3);
  EXPECT_EQ(merged("draft.txt"), "draft");
  EXPECT_FALSE(is_merged("two.txt"));
  EXPECT_FALSE(fs::exists(w.home() / "worktrees/app-1"));
}

INSTANTIATE_TEST_SUITE_P(After, ClusterReturnDeaths,
                         testing::Values("node_returned", "session_parked",
                                         "agent_exited", "session_reconciled",
                                         "session_disowned", "task_claimed"),
                         [](const auto& p) { return std::string{p.param}; });

TEST_F(ClusterReturn, AFlappingNodeGetsItsWorkBackOnce) {
  begin_on_node(agent("1) echo draft > draft.txt;;\n"));
  lose();
  n.thaw();
  await_agent(3);
  w.await_file("begun.3");
  auto lost = lose(4);
  EXPECT_EQ(show()["node"], "local");
  n.thaw();
  auto parted = w.await("session_disowned", "session:app-1", lost["seq"]);
  EXPECT_EQ(parted["data"]["node"], "worker");
  EXPECT_EQ(parted["data"]["ref"], "refs/ao/parked/app-1/e3-r3");
  EXPECT_EQ(kept(n.home(), "e3-r3", "draft.txt"), "draft");
  auto said = w.await("session_reconciled", "session:app-1", lost["seq"]);
  EXPECT_EQ(said["data"]["reason"], "it has gone back once before");
  EXPECT_EQ(show()["node"], "local");
  finish(4);
}

TEST_F(ClusterReturn, ANodeThatTakesNothingNewGetsNothingBack) {
  begin_on_node(agent("1) echo draft > draft.txt;;\n"));
  auto lost = lose();
  w.ask({"node", "cordon", "worker"});
  n.thaw();
  w.await("session_disowned", "session:app-1", lost["seq"]);
  EXPECT_EQ(verdict()["reason"], "the node is cordoned");
  EXPECT_EQ(kept(n.home(), "e1-r1", "draft.txt"), "draft");
  finish(2);
}

TEST_F(ClusterReturn, WhatHasNoOtherPlaceYetGoesOn) {
  begin_on_node(agent("1) echo draft > draft.txt;;\n"), {"--no-local-node"});
  n.freeze();
  w.await([](const json& e) {
    return e["kind"] == "task_claimed" && e["epoch"] == 2;
  });
  n.thaw();
  await_agent(2);
  EXPECT_EQ(show()["node"], "worker");
  finish(2);
  EXPECT_EQ(merged("draft.txt"), "draft");
  EXPECT_TRUE(of_kind("session_disowned").empty());
  EXPECT_TRUE(of_kind("session_reconciled").empty());
}

class ClusterReturnScored : public ClusterReturn {
protected:
  ClusterReturnScored() : ClusterReturn(", reconcile: best_score") {}
};

TEST_F(ClusterReturnScored, TheOriginalWithMoreGoesOn) {
  begin_on_node(agent("1) " + two_commits + ";;\n2) echo two > two.txt;;\n"));
  lose();
  n.thaw();
  await_agent(3);
  EXPECT_EQ(show()["node"], "worker");
  EXPECT_EQ(verdict()["reason"],
            "best_score: 2 commits there, 1 changed file of the replacement");
  EXPECT_EQ(kept(w.home(), "e2-r2", "two.txt"), "two");
  finish(3);
  EXPECT_EQ(merged("b.txt"), "b");
}

TEST_F(ClusterReturnScored, TheReplacementWithMoreGoesOn) {
  begin_on_node(agent("1) echo draft > draft.txt;;\n"
                      "2) [ -e a.txt ] || { "
                      + two_commits + "};;\n"));
  auto lost = lose();
  n.thaw();
  w.await("session_disowned", "session:app-1", lost["seq"]);
  EXPECT_EQ(verdict()["reason"],
            "best_score: 1 changed file there, 2 commits of the replacement");
  EXPECT_EQ(kept(n.home(), "e1-r1", "draft.txt"), "draft");
  finish(2);
  auto row = w.ask({"session", "show", "app-1"});
  EXPECT_EQ(row["node"], "local");
  EXPECT_EQ(row["run"], 3) << "it was stopped to compare";
  EXPECT_EQ(reason(2, 3), "hub");
  EXPECT_EQ(merged("b.txt"), "b");
  EXPECT_FALSE(is_merged("draft.txt"));
}

class ClusterNotReplaced : public ClusterReturn {
protected:
  ClusterNotReplaced() : ClusterReturn(", replace: false") {}
};

TEST_F(ClusterNotReplaced, ASessionWaitsForItsNode) {
  begin_on_node(agent("1) echo draft > draft.txt;;\n"));
  ASSERT_EQ(spawn(w.add_task("Something else")), "app-2");
  n.freeze();
  auto lost = w.await("node_lost", "node:worker");
  // A person may move one as soon as the lease of the node is over.
  auto until = std::chrono::steady_clock::now() + world::patience;
  while (w.ao({"session", "restore", "app-2"}).status.code != 0
         && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  EXPECT_EQ(w.ask({"task", "show", "T2"})["epoch"], 2);
  EXPECT_EQ(w.ask({"task", "show", task})["epoch"], 1);
  EXPECT_EQ(show()["runtime"]["state"], "lost");
  EXPECT_EQ(show()["node"], "worker");
  n.thaw();
  w.await("node_returned", "node:worker", lost["seq"]);
  finish(1);
  EXPECT_EQ(merged("draft.txt"), "draft");
}

} // namespace
