// A change goes to a session on a node, from one that is there: what its
// worktree holds is asked of the node, and its branch comes over the link.

#include "tests/support/agent_scripts.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

using namespace ao;
using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

/// `app-1` lives on the node, and has `app#1` open, which a person merges.
class ClusterTakeover : public cluster_fixture {
protected:
  ClusterTakeover() : cluster_fixture(", merge: {auto: false}") {
    w.add_agent("opener", scripts::opener);
    w.add_agent("finisher", scripts::finisher);
    begin(scripts::idler);
    spawn(w.add_task("First"));
    w.await_file("app-1.ready");
  }

  nlohmann::json session(const std::string& id) const {
    return w.ask({"session", "show", id});
  }
};

TEST_F(ClusterTakeover, ByAnAgentThereOnlyWithACleanWorktree) {
  auto second = w.add_task("Second");
  w.ask({"spawn", second, "--agent", "busy", "--node", "worker"});
  w.await_file("app-2.ready");
  auto dirt = n.worktree("app-2") / "dirt.txt";
  std::ofstream{dirt} << "dirt\n";
  auto refused = w.ao({"session", "claim-pr", "app#1", "app-2"});
  EXPECT_EQ(refused.status.code, 4);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("unclean_worktree"),
                    HasSubstr("1 file that is in no commit (?? dirt.txt)")));
  EXPECT_EQ(session("app-1")["epoch"], 1);

  fs::remove(dirt);
  auto said = w.ao({"session", "claim-pr", "app#1", "app-2"});
  ASSERT_EQ(said.status.code, 0) << said.err;
  EXPECT_EQ(session("app-3")["epoch"], 2);
  EXPECT_EQ(session("app-3")["tookOver"], "app-1");
  EXPECT_EQ(w.ask({"task", "show", second})["state"], "parked");
  w.await("session_parked", "session:app-2");
}

TEST_F(ClusterTakeover, ByANewSessionOnTheNode) {
  auto head = w.ask({"pr", "show", "app#1"}).value("headSha", "");
  w.ask({"spawn", "--claim-pr", "app#1", "--agent", "finisher", "--node",
         "worker"});
  w.await_file("app-2.began");
  EXPECT_EQ(content_of(w.user() / "app-2.began"), head + "\n");
  EXPECT_EQ(session("app-2")["node"], "worker");
  EXPECT_EQ(session("app-1")["status"], "killed");
  w.await([](const nlohmann::json& e) {
    return e["kind"] == "head_moved" && e["subject"] == "change:app#1"
      && e["data"]["session"] == "app-2";
  });
  w.await("merge_ready", "change:app#1");
  auto merged = w.ao({"pr", "merge", "app#1"});
  ASSERT_EQ(merged.status.code, 0) << merged.err;
  w.await("task_closed", "task:T1");
  for (const auto* id : {"app-1", "app-2"})
    EXPECT_EQ(w.git(w.forge(), {"show", std::string{"main:"} + id + ".txt"}),
              std::string{"by "} + id);
}

/// While the node is away nothing is known of what is there: the change stays
/// where it is.
TEST_F(ClusterTakeover, WaitsForTheNodeOfWhoeverMoves) {
  auto second = w.add_task("Second");
  w.ask({"spawn", second, "--agent", "busy", "--node", "worker"});
  w.await_file("app-2.ready");
  n.kill();
  w.await("node_suspect", "node:worker");
  auto refused = w.ao({"session", "claim-pr", "app#1", "app-2"});
  EXPECT_EQ(refused.status.code, 1) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("not_reachable"));
  EXPECT_EQ(session("app-1")["epoch"], 1);
  EXPECT_EQ(w.ask({"task", "show", second})["session"], "app-2");
}

} // namespace
