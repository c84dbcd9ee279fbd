#include "tests/support/agent_scripts.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <gmock/gmock.h>

#include <fstream>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

/// What a node tells of itself, and where sessions go then.
class ClusterPlacement : public cluster_fixture {
protected:
  /// As `begin`, with further members of the agent's entry. Its probe is asked
  /// in the home of a node: `logged-out` there is a lost login.
  void begin_with(const std::string& members, bool logged_out = false) {
    ASSERT_EQ(w.ao({"cluster", "init"}).status.code, 0);
    w.add_agent("busy", scripts::patient, members);
    w.start();
    n.join(port, {}, {"--name", "worker"});
    if (logged_out)
      std::ofstream{n.home() / "logged-out"} << "";
    n.start();
    w.await("node_joined", "node:worker");
    await_open(w, "worker");
  }

  /// The reason of the session's wait, once it has this text in it.
  void await_reason(const std::string& session, const std::string& text) {
    w.await([&](const json& e) {
      return e["kind"] == "session_queued"
        && e["subject"] == "session:" + session
        && e["data"].value("reason", "").find(text) != std::string::npos;
    });
  }

  /// A file where the directory of a session should be: it cannot start on the
  /// node.
  void break_start(int session) {
    std::ofstream{n.home() / "sessions" / ("app-" + std::to_string(session))}
      << "";
  }

  static constexpr const char* probe
    = ", probe: [sh, -c, \"! test -e logged-out\"]";
};

TEST_F(ClusterPlacement, ANodeThatIsNotLoggedInGetsNoneUntilItIs) {
  begin_with(probe, true);
  auto id = w.add_task("Write a file");
  w.ask({"spawn", id, "--node", "worker", "--no-wait"});
  await_reason("app-1", "worker: busy is not logged in there");
  EXPECT_THAT(w.ao({"why", id}).out,
              HasSubstr("worker: busy is not logged in there"));
  auto shown = w.ask({"node", "show", "worker"});
  // Other programs of this host may not be ready either.
  EXPECT_THAT(shown["notReady"].dump(),
              HasSubstr(R"("agent":"busy","byLogin":true)"));
  // Others go on elsewhere meanwhile: nobody's breaker is open.
  auto other = w.add_task("Something else");
  auto made = w.ask({"spawn", other});
  EXPECT_EQ(w.ask({"session", "show", made["id"]})["node"], "local");
  fs::remove(n.home() / "logged-out");
  w.await("agent_started", "session:app-1");
  EXPECT_EQ(w.ask({"session", "show", "app-1"})["node"], "worker");
  for (const auto& x : w.ask({"node", "show", "worker"})["notReady"])
    EXPECT_NE(x["agent"], "busy");
  EXPECT_TRUE(of_kind("breaker_opened").empty());
}

TEST_F(ClusterPlacement, ALoginThatIsLostWhileTheNodeLivesIsNoticed) {
  begin_with(probe);
  auto first = w.add_task("Write a file");
  spawn(first);
  std::ofstream{n.home() / "logged-out"} << "";
  // Told with the next hello at the latest.
  n.stop();
  n.start();
  w.await("node_returned", "node:worker");
  auto second = w.add_task("Something else");
  w.ask({"spawn", second, "--node", "worker", "--no-wait"});
  await_reason("app-2", "worker: busy is not logged in there");
  // What runs there goes on.
  w.touch("go");
  w.await("session_cleaned", "session:app-1");
  fs::remove(n.home() / "logged-out");
  w.await("session_cleaned", "session:app-2");
}

TEST_F(ClusterPlacement, ANodeWithoutTheMemoryGetsNothingNew) {
  begin_with(", limits: {memory: 900000GiB}");
  auto id = w.add_task("Write a file");
  w.ask({"spawn", id, "--node", "worker", "--no-wait"});
  await_reason("app-1", "worker has too little memory (");
  EXPECT_THAT(w.ao({"why", id}).out, HasSubstr("worker has too little memory"));
}

TEST_F(ClusterPlacement, AQuarantinedNodeGetsNothingNewAndItsOwnGoOnThere) {
  ASSERT_EQ(w.ao({"cluster", "init"}).status.code, 0);
  w.add_agent("busy",
              "[ \"$AO_TASK\" != T1 ] || [ -e \"$HOME/again\" ] || { "
                + scripts::waits_for("crash") + " exit 1; }\n"
                + scripts::patient);
  w.start();
  n.join(port, {}, {"--name", "worker"});
  n.start();
  w.await("node_joined", "node:worker");
  await_open(w, "worker");
  auto own = w.add_task("Write a file");
  ASSERT_EQ(w.ao({"spawn", own, "--node", "worker"}).status.code, 0);
  for (int i = 2; i <= 4; ++i)
    break_start(i);
  for (int i = 2; i <= 4; ++i) {
    auto id = w.add_task("No. " + std::to_string(i));
    w.ao({"spawn", id, "--node", "worker"});
    w.await("spawn_failed", "session:app-" + std::to_string(i));
  }
  auto next = w.add_task("Yet another");
  w.ask({"spawn", next, "--node", "worker", "--no-wait"});
  await_reason("app-5", "worker is quarantined");
  w.touch("again");
  w.touch("crash");
  w.await([](const json& e) {
    return e["kind"] == "agent_started" && e["subject"] == "session:app-1"
      && e["data"]["run"] == 2;
  });
  EXPECT_EQ(w.ask({"session", "show", "app-1"})["node"], "worker");
}

TEST_F(ClusterPlacement, StartsThatFailAsTheNodeWasAwaySayNothingOfIt) {
  begin_with("");
  for (int i = 1; i <= 3; ++i)
    break_start(i);
  n.freeze();
  for (int i = 1; i <= 3; ++i)
    w.ask({"spawn", w.add_task("No. " + std::to_string(i)), "--node", "worker",
           "--no-wait"});
  w.await("node_suspect", "node:worker");
  n.thaw();
  for (int i = 1; i <= 3; ++i)
    w.await("spawn_failed", "session:app-" + std::to_string(i));
  EXPECT_EQ(
    w.ao({"spawn", w.add_task("Another"), "--node", "worker"}).status.code, 0);
}

} // namespace
