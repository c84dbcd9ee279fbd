#include "tests/support/agent_scripts.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <gmock/gmock.h>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

class Cluster : public cluster_fixture {
protected:
  using cluster_fixture::cluster_fixture;
};

TEST_F(Cluster, WorksATaskOnANodeAndMergesItOnTheHub) {
  begin(scripts::patient);
  auto id = w.add_task("Write a file");
  auto spawned = w.ao({"spawn", id, "--node", "worker"});
  ASSERT_EQ(spawned.status.code, 0) << spawned.err;
  // All of it lives on the node, nothing on the hub.
  EXPECT_TRUE(fs::exists(n.worktree("app-1") / "README"));
  EXPECT_FALSE(fs::exists(w.worktree("app-1")));
  auto row = w.ask({"session", "show", "app-1"});
  EXPECT_EQ(row["node"], "worker") << row;
  EXPECT_THAT(row["tmux"]["socket"].get<std::string>(),
              HasSubstr(n.home().string()));
  w.touch("go");
  w.await("session_cleaned", "session:app-1");
  EXPECT_EQ(w.git(w.forge(), {"show", "main:app-1.txt"}), "by app-1");
  EXPECT_EQ(w.ask({"task", "show", id})["state"], "merged");
  EXPECT_FALSE(fs::exists(n.worktree("app-1")));
  EXPECT_EQ(of_kind("merged").size(), 1u);
}

TEST_F(Cluster, AgentsOfANodeOutliveItAndAreFoundAgain) {
  begin(scripts::patient);
  auto id = w.add_task("Write a file");
  ASSERT_EQ(w.ao({"spawn", id, "--node", "worker"}).status.code, 0);
  auto before = w.ask({"session", "show", "app-1"})["runtime"]["pid"];
  n.kill();
  w.await("node_suspect", "node:worker");
  n.start();
  w.await("node_returned", "node:worker");
  EXPECT_EQ(w.ask({"session", "show", "app-1"})["runtime"]["pid"], before);
  w.touch("go");
  w.await("session_cleaned", "session:app-1");
  EXPECT_EQ(w.ask({"task", "show", id})["state"], "merged");
  EXPECT_EQ(w.git(w.forge(), {"log", "--format=%s", "main"}),
            "Write a file (app#1)\nFirst");
  EXPECT_EQ(of_kind("agent_started").size(), 1u);
  EXPECT_EQ(of_kind("merged").size(), 1u);
}

TEST_F(Cluster, AgentsOfANodeOutliveTheHubAndAreAdopted) {
  begin(scripts::patient);
  auto id = w.add_task("Write a file");
  ASSERT_EQ(w.ao({"spawn", id, "--node", "worker"}).status.code, 0);
  auto before = w.ask({"session", "show", "app-1"})["runtime"]["pid"];
  w.kill_hub();
  w.start();
  w.await("node_returned", "node:worker");
  EXPECT_EQ(w.ask({"session", "show", "app-1"})["runtime"]["pid"], before);
  w.touch("go");
  w.await("session_cleaned", "session:app-1");
  EXPECT_EQ(w.ask({"task", "show", id})["state"], "merged");
  EXPECT_EQ(of_kind("agent_started").size(), 1u);
  EXPECT_EQ(of_kind("merged").size(), 1u);
}

/// A node that loses its hub soon.
class ClusterLoss : public Cluster {
protected:
  ClusterLoss()
      : Cluster("heartbeat: 200ms, suspectAfter: 1s, lostAfter: 3s, lease: 5s",
                "3s") {}
};

TEST_F(ClusterLoss, GivesTheWorkOfALostNodeToAnotherAndStopsTheLoser) {
  begin(scripts::waits_for("$AO_EPOCH") + scripts::diligent);
  auto id = w.add_task("Write a file");
  ASSERT_EQ(w.ao({"spawn", id, "--node", "worker"}).status.code, 0);
  auto loser = w.ask({"session", "show", "app-1"})["runtime"]["pid"];
  n.freeze();
  auto lost = w.await("node_lost", "node:worker");
  w.await("session_lost", "session:app-1");
  // Under a new grant it goes on here.
  w.await(
    [](const json& e) {
      return e["kind"] == "agent_started" && e["epoch"] == 2;
    },
    lost["seq"]);
  EXPECT_EQ(w.ask({"session", "show", "app-1"})["node"], "local");
  w.touch("2");
  w.await("session_cleaned", "session:app-1");
  EXPECT_EQ(w.ask({"task", "show", id})["state"], "merged");
  // The other one has lived all the while; it is ended when its node is back.
  n.thaw();
  w.await("node_returned", "node:worker", lost["seq"]);
  expect_ends(loser);
  EXPECT_EQ(of_kind("merged").size(), 1u);
  EXPECT_EQ(w.git(w.forge(), {"rev-list", "--count", "main"}), "2");
}

TEST_F(ClusterLoss, ANodeWithoutItsHubEndsItsAgentsByItself) {
  begin(scripts::sleeper);
  ASSERT_EQ(w.ao({"spawn", w.add_task("Any"), "--node", "worker"}).status.code,
            0);
  pid_t agent = w.ask({"session", "show", "app-1"})["runtime"]["pid"];
  w.kill_hub();
  expect_ends(agent);
  EXPECT_THAT(n.log(), HasSubstr("fenced project=app"));
}

TEST_F(ClusterLoss, ANodeThatStartsWithoutItsHubEndsThemTooAsTheLeaseIsOver) {
  begin(scripts::sleeper);
  ASSERT_EQ(w.ao({"spawn", w.add_task("Any"), "--node", "worker"}).status.code,
            0);
  pid_t agent = w.ask({"session", "show", "app-1"})["runtime"]["pid"];
  w.kill_hub();
  n.kill();
  n.start();
  expect_ends(agent);
  EXPECT_THAT(n.log(), HasSubstr("fenced project=app"));
}

TEST_F(ClusterLoss, AgentsOfADeadNodeEndBeforeTheirWorkGoesToAnother) {
  begin(scripts::waits_for("$AO_EPOCH") + scripts::diligent);
  auto id = w.add_task("Write a file");
  ASSERT_EQ(w.ao({"spawn", id, "--node", "worker"}).status.code, 0);
  pid_t loser = w.ask({"session", "show", "app-1"})["runtime"]["pid"];
  auto watched = open_pidfd(loser);
  ASSERT_TRUE(watched);
  n.kill();
  w.await([](const json& e) {
    return e["kind"] == "agent_started" && e["epoch"] == 2;
  });
  // Nobody has started the node again.
  EXPECT_TRUE(wait_ended(watched->get(), milliseconds{0}));
  w.touch("2");
  w.await("session_cleaned", "session:app-1");
  EXPECT_EQ(w.ask({"task", "show", id})["state"], "merged");
  EXPECT_EQ(of_kind("merged").size(), 1u);
}

TEST_F(Cluster, ARevokedNodeIsNotHeardAgain) {
  begin(scripts::sleeper);
  auto row = w.ask({"node", "revoke", "worker"});
  EXPECT_EQ(row["state"], "revoked");
  // It says so, and ends.
  w.await("node_refused", "node:worker");
  expect_ends(n.pid());
  auto end = n.call({"run"});
  EXPECT_EQ(end.status.code, 6) << end.err;
  EXPECT_THAT(end.err, HasSubstr("node_revoked"));
  EXPECT_EQ(w.ao({"spawn", w.add_task("Any"), "--node", "worker"}).status.code,
            2);
}

TEST_F(Cluster, ACordonedNodeGetsNothingNew) {
  begin(scripts::sleeper);
  EXPECT_EQ(w.ask({"node", "cordon", "worker"})["state"], "cordoned");
  auto id = w.add_task("Any");
  auto queued = w.ask({"spawn", id, "--node", "worker", "--no-wait"});
  w.await([](const json& e) { return e["kind"] == "session_queued"; });
  w.ask({"node", "uncordon", "worker"});
  w.await("agent_started", "session:app-1");
  EXPECT_TRUE(fs::exists(n.worktree("app-1")));
}

} // namespace
