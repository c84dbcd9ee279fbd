#include "tests/support/agent_scripts.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <gmock/gmock.h>

#include <set>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;
namespace fs = std::filesystem;

namespace {

class ClusterFailure : public cluster_fixture {
protected:
  using cluster_fixture::cluster_fixture;

  pid_t agent_of(const std::string& session) const {
    return w.ask({"session", "show", session})["runtime"]["pid"];
  }

  std::string on_node(const std::string& ref, const std::string& file) const {
    return w.git(n.home() / "repos/app.git", {"show", ref + ":" + file});
  }
};

/// The node is lost soon.
class ClusterLost : public ClusterFailure {
protected:
  explicit ClusterLost(const std::string& disconnect = {})
      : ClusterFailure(
        "heartbeat: 200ms, suspectAfter: 1s, lostAfter: 3s, lease: 5s", "3s",
        disconnect) {}

  /// Freezes the node until its session goes on elsewhere; the loss.
  json lose() {
    n.freeze();
    auto lost = w.await("node_lost", "node:worker");
    w.await(
      [](const json& e) {
        return e["kind"] == "agent_started" && e["epoch"] == 2;
      },
      lost["seq"]);
    return lost;
  }
};

/// Whatever the node has when it is back, it is the loser.
class ClusterReplaced : public ClusterLost {
protected:
  ClusterReplaced() : ClusterLost(", reconcile: keep_replacement") {}
};

TEST_F(ClusterLost, RaisesOneIncidentForAllItsSessions) {
  begin(scripts::sleeper);
  for (const auto* title : {"First of all", "Something else", "Third one"})
    spawn(w.add_task(title));
  n.freeze();
  auto lost = w.await("node_lost", "node:worker");
  w.await("incident_asked", "incident:inc-1");
  auto i = w.ask({"incident", "show", "inc-1"});
  EXPECT_EQ(i["cause"], "node_lost");
  EXPECT_EQ(i["tier"], "human");
  EXPECT_EQ(i["count"], 3);
  EXPECT_EQ(i["fingerprint"], "hub/node_lost/worker");
  EXPECT_THAT(i["question"].get<std::string>(), HasSubstr("in 3 sessions"));
  EXPECT_THAT(i["text"].get<std::string>(), HasSubstr("app-2 (T2)"));
  EXPECT_EQ(w.ask({"incident", "ls"})["data"].size(), 1u);
  EXPECT_THAT(w.ao({"status"}).out,
              HasSubstr("Node worker is lost: nothing was heard of it"));
  EXPECT_EQ(w.ask({"node", "show", "worker"})["state"], "lost");
  n.thaw();
  w.await("node_returned", "node:worker", lost["seq"]);
  w.await("incident_closed", "incident:inc-1");
  EXPECT_EQ(w.ask({"incident", "show", "inc-1"})["closedBy"], "recovery");
  EXPECT_EQ(of_kind("incident_opened").size(), 1u);
  // Another loss opens it again.
  n.freeze();
  w.await("node_lost", "node:worker", w.last_event());
  w.await(
    [](const json& e) {
      return e["kind"] == "incident_opened" && e["data"].value("again", false);
    },
    lost["seq"]);
  n.thaw();
}

TEST_F(ClusterLost, HearsOfItAgainWhenTheHubDiedInBetween) {
  begin(scripts::sleeper);
  n.freeze();
  w.await("node_lost", "node:worker");
  w.await("incident_asked", "incident:inc-1");
  w.kill_hub();
  n.thaw();
  w.start();
  // It is back, and nobody has told ESCALATION but the new hub.
  w.await("incident_closed", "incident:inc-1");
  EXPECT_EQ(w.ask({"incident", "show", "inc-1"})["count"], 0);
}

TEST_F(ClusterReplaced, ParksTheWorkOfTheLoser) {
  begin("echo draft > draft.txt\n" + scripts::waits_for("$AO_EPOCH")
        + scripts::diligent);
  auto id = w.add_task("Write a file");
  ASSERT_EQ(spawn(id), "app-1");
  auto loser = agent_of("app-1");
  await_file(n.worktree("app-1") / "draft.txt");
  lose();
  n.thaw();
  auto parted = w.await("session_disowned", "session:app-1");
  EXPECT_EQ(parted["data"]["ref"], "refs/ao/parked/app-1/e1-r1");
  EXPECT_EQ(parted["data"]["node"], "worker");
  EXPECT_EQ(parted["epoch"], 1);
  expect_ends(loser);
  EXPECT_EQ(on_node("refs/ao/parked/app-1/e1-r1", "draft.txt"), "draft");
  // The winner has not noticed.
  EXPECT_EQ(w.ask({"session", "show", "app-1"})["node"], "local");
  w.touch("2");
  w.await("session_cleaned", "session:app-1");
  EXPECT_EQ(w.ask({"task", "show", id})["state"], "merged");
  EXPECT_EQ(of_kind("merged").size(), 1u);
  EXPECT_FALSE(fs::exists(n.worktree("app-1")));
}

TEST_F(ClusterLost, TellsOfWorkThatWasParkedBeforeItsNodeDied) {
  begin("touch \"$HOME/begun\"\n" + scripts::waits_for("$AO_EPOCH")
        + scripts::diligent);
  ASSERT_EQ(spawn(w.add_task("Write a file")), "app-1");
  w.await_file("begun");
  auto lost = lose();
  // It came as far as that, and could tell nobody.
  n.kill();
  auto repository = n.home() / "repos/app.git";
  const auto* ref = "refs/ao/parked/app-1/e1-r1";
  w.git(repository, {"update-ref", ref, "refs/heads/ao/app-1"});
  w.git(repository,
        {"worktree", "remove", "--force", n.worktree("app-1").string()});
  n.start();
  auto parted = w.await("session_disowned", "session:app-1", lost["seq"]);
  EXPECT_EQ(parted["data"]["ref"], ref);
  w.touch("2");
  w.await("session_cleaned", "session:app-1");
}

TEST_F(ClusterLost, GoesOnFromWhatWasPushed) {
  begin("if [ \"$AO_EPOCH\" = 1 ]; then\n"
        "echo early > early.txt; git add --all; git commit --quiet -m Early\n"
        "git push --quiet; touch \"$HOME/pushed\"; exec sleep 1000; fi\n"
        + scripts::diligent);
  auto id = w.add_task("Write a file");
  ASSERT_EQ(spawn(id), "app-1");
  w.await_file("pushed");
  n.freeze();
  w.await("session_cleaned", "session:app-1");
  EXPECT_EQ(w.ask({"task", "show", id})["epoch"], 2);
  EXPECT_EQ(w.git(w.forge(), {"show", "main:early.txt"}), "early");
  EXPECT_EQ(w.git(w.forge(), {"show", "main:app-1.txt"}), "by app-1");
  EXPECT_EQ(of_kind("merged").size(), 1u);
  n.thaw();
}

TEST_F(ClusterLost, IsReplacedOnceThoughAPersonSaysRetry) {
  begin(scripts::waits_for("$AO_EPOCH") + scripts::diligent);
  auto id = w.add_task("Write a file");
  ASSERT_EQ(spawn(id), "app-1");
  n.freeze();
  w.await("incident_asked", "incident:inc-1");
  // Its lease is not over yet.
  EXPECT_EQ(w.ao({"incident", "answer", "inc-1", "retry"}).status.code, 0);
  w.await([](const json& e) {
    return e["kind"] == "agent_started" && e["epoch"].get<int>() > 1;
  });
  w.touch("2");
  w.touch("3");
  w.await("task_closed", "task:" + id);
  EXPECT_EQ(w.ask({"task", "show", id})["state"], "merged");
  EXPECT_EQ(w.ask({"task", "show", id})["epoch"], 2);
  EXPECT_EQ(of_kind("merged").size(), 1u);
  n.thaw();
  w.await("incident_closed", "incident:inc-1");
}

TEST_F(ClusterFailure, ADrainIsOverWhenItsSessionsAre) {
  begin(scripts::patient);
  auto id = w.add_task("Write a file");
  spawn(id);
  auto row = w.ask({"node", "drain", "worker"});
  EXPECT_EQ(row["state"], "draining");
  EXPECT_EQ(row["sessions"], json({"app-1"}));
  EXPECT_TRUE(row["drainUntil"].is_null());
  EXPECT_THAT(w.ao({"status"}).out, HasSubstr("Node worker is draining: "));
  // Nothing new is placed there.
  auto second = w.add_task("Another thing");
  auto made = w.ask({"spawn", second});
  EXPECT_EQ(w.ask({"session", "show", made["id"]})["node"], "local");
  EXPECT_TRUE(of_kind("node_drained").empty());
  w.touch("go");
  w.await("node_drained", "node:worker");
  EXPECT_EQ(w.ask({"task", "show", id})["state"], "merged");
  row = w.ask({"node", "show", "worker"});
  EXPECT_EQ(row["state"], "draining");
  EXPECT_FALSE(row["drainedAt"].is_null());
  w.await("session_cleaned", "session:app-2");
  EXPECT_EQ(of_kind("node_drained").size(), 1u);
}

TEST_F(ClusterFailure, ADrainOfAnEmptyNodeIsOverAtOnce) {
  begin(scripts::sleeper);
  w.ask({"node", "drain", "worker"});
  w.await("node_drained", "node:worker");
  w.ask({"node", "uncordon", "worker"});
  auto row = w.ask({"node", "show", "worker"});
  EXPECT_EQ(row["state"], "alive");
  EXPECT_TRUE(row["drainedAt"].is_null());
}

TEST_F(ClusterFailure, WhatIsLeftAtTheDeadlineOfADrainGoesElsewhere) {
  begin("echo draft > draft.txt\n" + scripts::waits_for("$AO_EPOCH")
        + scripts::diligent);
  auto id = w.add_task("Write a file");
  spawn(id);
  auto agent = agent_of("app-1");
  await_file(n.worktree("app-1") / "draft.txt");
  auto row = w.ask({"node", "drain", "worker", "--deadline", "1s"});
  EXPECT_FALSE(row["drainUntil"].is_null());
  auto parted = w.await("session_disowned", "session:app-1");
  EXPECT_EQ(on_node(parted["data"]["ref"], "draft.txt"), "draft");
  expect_ends(agent);
  w.await([](const json& e) {
    return e["kind"] == "agent_started" && e["epoch"] == 2;
  });
  w.await("node_drained", "node:worker");
  EXPECT_EQ(w.ask({"session", "show", "app-1"})["node"], "local");
  w.touch("2");
  w.await("session_cleaned", "session:app-1");
  EXPECT_EQ(w.ask({"task", "show", id})["state"], "merged");
  EXPECT_EQ(of_kind("merged").size(), 1u);
}

TEST_F(ClusterFailure, WhySaysWhyASessionIsWhereItIsOrNowhere) {
  begin(scripts::sleeper);
  auto placed = w.add_task("Any", {}, {"--label", "node:gpu=yes"});
  w.ask({"spawn", placed, "--no-wait"});
  w.await([](const json& e) {
    return e["kind"] == "session_queued"
      && e["data"].value("reason", "").find("gpu") != std::string::npos;
  });
  auto why = w.ao({"why", "app-1"});
  EXPECT_THAT(why.out, HasSubstr("local has not gpu=yes"));
  EXPECT_THAT(why.out, HasSubstr("worker has not gpu=yes"));
  auto there = w.add_task("Some thing else");
  w.ask({"spawn", there, "--node", "worker"});
  EXPECT_THAT(w.ao({"why", "app-2"}).out, HasSubstr("worker was asked for"));
  EXPECT_THAT(w.ao({"why", there}).out, HasSubstr("worker was asked for"));
}

/// Puts the database back as it was when it was copied.
void put_back(const world& w, const fs::path& copy) {
  for (const auto* file : {"ao.db", "ao.db-wal", "ao.db-shm"})
    fs::remove(w.home() / file);
  fs::copy_file(copy, w.home() / "ao.db");
  fs::permissions(w.home() / "ao.db",
                  fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(ClusterFailure, NoNumberIsGivenTwiceAfterAnOlderBackupIsPutBack) {
  begin("echo \"$AO_SESSION\" > draft.txt\n" + scripts::sleeper);
  auto first = w.add_task("Write a file");
  ASSERT_EQ(spawn(first), "app-1");
  auto copy = w.root() / "copy.db";
  w.ask({"db", "backup", copy.string()});
  // What the backup knows nothing of: another grant, task and session.
  w.ask({"session", "kill", "app-1"});
  w.await("session_killed", "session:app-1");
  w.await("task_parked", "task:" + first);
  w.ask({"task", "retry", first});
  ASSERT_EQ(spawn(first), "app-2");
  auto later = w.add_task("Something else");
  ASSERT_EQ(spawn(later), "app-3");
  std::vector<pid_t> forgotten{agent_of("app-2"), agent_of("app-3")};
  std::set<std::pair<std::string, int>> granted;
  auto collect = [&] {
    for (const auto& e : of_kind("task_claimed"))
      granted.emplace(e["subject"], e["epoch"]);
  };
  collect();
  ASSERT_EQ(granted.size(), 3u);
  w.kill_hub();
  put_back(w, copy);
  w.start();

  auto raised = w.await("numbers_raised", "node:worker");
  EXPECT_THAT(raised["data"]["reason"].get<std::string>(),
              HasSubstr(first + " at epoch 2 (1 is known)"));
  // What nobody knows any more is stopped, and its work is kept and told.
  for (const auto* id : {"app-2", "app-3"}) {
    auto parted = w.await("session_disowned", std::string{"session:"} + id);
    EXPECT_EQ(on_node(parted["data"]["ref"], "draft.txt"), id);
  }
  for (auto pid : forgotten)
    expect_ends(pid);
  auto next = w.ask({"spawn", first});
  EXPECT_EQ(next["id"], "app-4");
  EXPECT_EQ(next["epoch"], 3);
  EXPECT_EQ(w.add_task("Third of them"), "T3");
}

} // namespace
