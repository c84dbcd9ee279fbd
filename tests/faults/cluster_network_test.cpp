// Nodes on hosts of their own (network namespaces), whose network, clock, disk
// and sleep fail while agents work.

#include "runtime/process/process_table.hpp"
#include "tests/support/agent_scripts.hpp"
#include "tests/support/machine_faults.hpp"
#include "tests/support/network_cluster.hpp"
#include "tests/support/small_disk.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <iostream>
#include <optional>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

using way = network_hosts::way;

/// Says so when a second agent works on one task at the same time, wherever.
const std::string alone = R"(
exec 9> "$HOME/$AO_TASK.lock"
flock --nonblock 9 || echo "$AO_TASK epoch $AO_EPOCH" >> "$HOME/two-writers"
)";

/// Waits for `$HOME/<epoch>`, or for `$HOME/go`.
const std::string patient
  = "while [ ! -e \"$HOME/$AO_EPOCH\" ] && [ ! -e \"$HOME/go\" ]; do sleep "
    "0.05; done\n"
  + scripts::diligent;

class ClusterNetwork : public testing::Test {
protected:
  void SetUp() override {
    if (auto why = network_hosts::why_not(); !why.empty())
      GTEST_SKIP() << why;
  }

  network_cluster& make(int nodes, world_options o = {},
                        const short_times& times = {}) {
    c.emplace(nodes, std::move(o), times);
    c->hub().add_agent("patient", alone + patient);
    c->hub().add_agent("sleepy", patient);
    return *c;
  }

  void begin(int nodes) { make(nodes).begin(4); }

  void TearDown() override {
    if (!c)
      return;
    if (HasFailure())
      for (int i = 0; i < c->size(); ++i)
        std::cerr << "--- " << network_cluster::name_of(i) << "\n"
                  << c->node(i).log();
    EXPECT_FALSE(fs::exists(c->hub().user() / "two-writers"))
      << content_of(c->hub().user() / "two-writers");
  }

  world& w() { return c->hub(); }

  std::string spawn_on(int node, const std::string& agent = "patient") {
    auto task = w().add_task("Any", "", {"--agent", agent});
    auto made = w().ask(
      {"spawn", task, "--no-wait", "--node", network_cluster::name_of(node)});
    return made.value("id", "");
  }

  int count(const std::string& kind) {
    int out = 0;
    for (const auto& e : w().events())
      out += e["kind"] == kind ? 1 : 0;
    return out;
  }

  std::optional<network_cluster> c;
};

class OneWay : public ClusterNetwork,
               public testing::WithParamInterface<way> {};

TEST_P(OneWay, SilenceMovesTheWorkAndTheNodeComesBack) {
  begin(2);
  ASSERT_EQ(spawn_on(0), "app-1");
  auto loser = c->await_agent("app-1");
  c->net().cut(0, GetParam());
  auto lost = w().await("node_lost", "node:n1");
  // Before the other one begins this one has ended; `alone` would say so.
  c->await_agent("app-1", 2);
  expect_ends(loser);
  EXPECT_EQ(w().ask({"session", "show", "app-1"})["node"], "n2");
  c->net().heal(0);
  w().await("node_returned", "node:n1", lost["seq"]);
  // It goes back, as the other one has delivered nothing.
  auto parted = w().await("session_disowned", "session:app-1", lost["seq"]);
  EXPECT_EQ(parted["data"]["node"], "n2");
  c->await_agent("app-1", 3);
  EXPECT_EQ(w().ask({"session", "show", "app-1"})["node"], "n1");
  w().touch("go");
  w().await("session_cleaned", "session:app-1");
  EXPECT_EQ(count("merged"), 1);
  EXPECT_EQ(w().git(w().forge(), {"rev-list", "--count", "main"}), "2");
  EXPECT_FALSE(fs::exists(c->node(0).worktree("app-1")));
  EXPECT_FALSE(fs::exists(c->node(1).worktree("app-1")));
}

INSTANTIATE_TEST_SUITE_P(Ways, OneWay,
                         testing::Values(way::both, way::to_hub, way::to_node),
                         [](const auto& p) {
                           return p.param == way::both ? "Both"
                             : p.param == way::to_hub  ? "ToHub"
                                                       : "ToNode";
                         });

TEST_F(ClusterNetwork, TheFenceDoesNotWaitForASlowHeartbeat) {
  make(2, {},
       {"heartbeat: 3s, suspectAfter: 4s, lostAfter: 4500ms, lease: 5s", "4s"})
    .begin(4);
  ASSERT_EQ(spawn_on(0), "app-1");
  auto loser = c->await_agent("app-1");
  c->net().cut(0, way::both);
  // `alone` says so when the loser still lives.
  c->await_agent("app-1", 2);
  expect_ends(loser);
  w().touch("go");
  w().await("session_cleaned", "session:app-1");
  EXPECT_EQ(count("merged"), 1);
}

TEST_F(ClusterNetwork, ACutShorterThanTheLeaseIsNoticedByNoAgent) {
  begin(1);
  ASSERT_EQ(spawn_on(0), "app-1");
  auto before = c->await_agent("app-1");
  c->net().cut(0, way::both);
  auto noticed = w().await("node_suspect", "node:n1");
  c->net().heal(0);
  w().await("node_returned", "node:n1", noticed["seq"]);
  EXPECT_EQ(w().ask({"session", "show", "app-1"})["runtime"]["pid"], before);
  w().touch("go");
  w().await("session_cleaned", "session:app-1");
  EXPECT_EQ(count("agent_started"), 1);
  EXPECT_EQ(count("merged"), 1);
}

TEST_F(ClusterNetwork, AHubThatDiesWhileANodeIsCutOffKeepsTheOthersAgents) {
  // The others have to be without a hub for as long as it takes to start one.
  make(
    2, {},
    {"heartbeat: 200ms, suspectAfter: 1s, lostAfter: 13s, lease: 15s", "14s"})
    .begin(4);
  ASSERT_EQ(spawn_on(0), "app-1");
  ASSERT_EQ(spawn_on(1), "app-2");
  auto loser = c->await_agent("app-1");
  auto survivor = c->await_agent("app-2");
  c->net().cut(0, way::both);
  auto at = w().await("node_suspect", "node:n1");
  w().kill_hub();
  c->start_hub();
  w().await("node_returned", "node:n2", at["seq"]);
  w().await("node_lost", "node:n1", at["seq"]);
  c->await_agent("app-1", 2);
  expect_ends(loser);
  EXPECT_EQ(w().ask({"session", "show", "app-2"})["runtime"]["pid"], survivor);
  c->net().heal(0);
  w().await("session_disowned", "session:app-1", at["seq"]);
  w().touch("go");
  w().await("session_cleaned", "session:app-1");
  w().await("session_cleaned", "session:app-2");
  EXPECT_EQ(w().ask({"session", "show", "app-2"})["run"], 1);
  EXPECT_EQ(count("merged"), 2);
}

TEST_F(ClusterNetwork, ANodeThatSleepsLongerThanItsLeaseHasLostItsWork) {
  short_times times;
  times.reconcile = "keep_replacement";
  make(2, {}, times).begin(4);
  // It cannot end while it sleeps.
  ASSERT_EQ(spawn_on(0, "sleepy"), "app-1");
  auto loser = c->await_agent("app-1");
  w().touch("1");
  c->put_to_sleep(0);
  auto lost = w().await("node_lost", "node:n1");
  c->await_agent("app-1", 2);
  c->wake_up(0);
  expect_ends(loser);
  w().await("node_returned", "node:n1", lost["seq"]);
  w().touch("go");
  w().await("session_cleaned", "session:app-1");
  EXPECT_EQ(w().ask({"task", "show", "T1"})["epoch"], 2);
  EXPECT_EQ(count("merged"), 1);
}

/// A node whose wall clock somebody sets by a day, forward or back.
class NodeClock : public ClusterNetwork,
                  public testing::WithParamInterface<std::chrono::hours> {};

TEST_P(NodeClock, SetWhileAnAgentWorksIsNoticedByNobody) {
  network_cluster& all = make(1);
  machine_faults faults{w().root() / "faults", all.node(0).home()};
  for (const auto& [name, value] : faults.variables())
    all.node(0).set_variable(name, value);
  all.begin(4);
  ASSERT_EQ(spawn_on(0), "app-1");
  auto before = all.await_agent("app-1");
  faults.set_clock(GetParam());
  // Also when it has to prove anew who it is, and the hub as well.
  auto at = w().last_event();
  w().kill_hub();
  all.start_hub();
  w().await("node_returned", "node:n1", at);
  EXPECT_EQ(w().ask({"session", "show", "app-1"})["runtime"]["pid"], before);
  ASSERT_EQ(spawn_on(0), "app-2");
  w().touch("go");
  w().await("session_cleaned", "session:app-1");
  w().await("session_cleaned", "session:app-2");
  EXPECT_EQ(count("agent_started"), 2);
  EXPECT_EQ(count("merged"), 2);
  EXPECT_EQ(count("node_lost"), 0);
}

INSTANTIATE_TEST_SUITE_P(Days, NodeClock,
                         testing::Values(std::chrono::hours{24},
                                         std::chrono::hours{-24}),
                         [](const auto& p) {
                           return p.param.count() > 0 ? "Forward" : "Back";
                         });

/// A node with a small disk of its own.
class NodeDisk : public ClusterNetwork {
protected:
  void SetUp() override {
    ClusterNetwork::SetUp();
    if (IsSkipped())
      return;
    if (!small_disk::allowed())
      GTEST_SKIP() << "this process may not mount";
    make(1, {},
         {"heartbeat: 200ms, suspectAfter: 3s, lostAfter: 30s, "
          "lease: 35s",
          "30s"});
    disk.emplace(c->node(0).home(), 24u << 20);
    c->begin(4);
    ASSERT_EQ(spawn_on(0), "app-1");
    agent = c->await_agent("app-1");
    disk->fill();
  }

  void TearDown() override {
    ClusterNetwork::TearDown();
    // Before the world removes its directories.
    disk.reset();
  }

  std::optional<small_disk> disk;
  pid_t agent = 0;
};

TEST_F(NodeDisk, ThatIsFullKeepsTheNodeAndItsAgent) {
  auto at = w().last_event();
  w().kill_hub();
  c->start_hub();
  w().await("node_returned", "node:n1", at);
  EXPECT_EQ(w().ask({"session", "show", "app-1"})["runtime"]["pid"], agent);
  // What is to begin there begins when there is room.
  ASSERT_EQ(spawn_on(0), "app-2");
  disk->free_again();
  w().touch("go");
  w().await("session_cleaned", "session:app-1");
  w().await("session_cleaned", "session:app-2");
  EXPECT_EQ(w().ask({"session", "show", "app-1"})["run"], 1);
  EXPECT_EQ(count("merged"), 2);
}

TEST_F(NodeDisk, ThatIsFullWhenTheAgentEndsLosesNoWork) {
  w().touch("go");
  expect_ends(agent);
  disk->free_again();
  w().await("session_cleaned", "session:app-1");
  EXPECT_EQ(w().ask({"task", "show", "T1"})["state"], "merged");
  EXPECT_EQ(count("merged"), 1);
}

} // namespace
