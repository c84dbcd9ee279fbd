#include "runtime/home/files.hpp"
#include "tests/support/agent_scripts.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <gmock/gmock.h>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

namespace {

/// Certificates count for seconds.
class ClusterRenewal : public cluster_fixture {
protected:
  explicit ClusterRenewal(const std::string& life = "15s")
      : cluster_fixture(
        "suspectAfter: 20s, lostAfter: 100s, lease: 110s, certificateLife: "
          + life,
        "105s") {}

  std::string file(const std::string& name) const {
    auto text = read_file((n.home() / "tls" / name).string());
    return text ? *text : "";
  }

  std::string certified_until() const {
    return w.ask({"node", "show", "worker"})["certifiedUntil"];
  }

  pid_t agent_of(const std::string& session) const {
    return w.ask({"session", "show", session})["runtime"]["pid"];
  }
};

TEST_F(ClusterRenewal, GetsItsNextCertificateUnderRunningAgents) {
  begin_there(scripts::patient);
  auto agent = agent_of("app-1");
  auto key = file("node.key");
  auto until = certified_until();
  auto renewed = w.await("node_renewed", "node:worker");
  EXPECT_EQ(renewed["data"]["certifiedUntil"], certified_until());
  EXPECT_GT(certified_until(), until);
  // The old one is removed when the hub knows the new one.
  await_file(n.home() / "tls/last.json", false);
  EXPECT_NE(file("node.key"), key);
  EXPECT_EQ(agent_of("app-1"), agent);
  EXPECT_THAT(n.log(), Not(HasSubstr("hub_lost")));
  // The next life begins with the new one.
  n.kill();
  n.start();
  w.await("node_returned", "node:worker", renewed["seq"]);
  EXPECT_EQ(agent_of("app-1"), agent);
  w.touch("go");
  w.await("session_cleaned", "session:app-1");
}

TEST_F(ClusterRenewal, SurvivesADeathAtAnyStep) {
  begin(scripts::sleeper);
  for (const auto* step : {"next.json", "last.json"}) {
    auto before = w.last_event();
    await_file(n.home() / "tls" / step);
    n.kill();
    n.start();
    w.await("node_renewed", "node:worker", before);
  }
  // And of the hub.
  await_file(n.home() / "tls/next.json");
  auto before = w.last_event();
  w.kill_hub();
  w.start();
  w.await("node_renewed", "node:worker", before);
  EXPECT_EQ(w.ask({"node", "show", "worker"})["state"], "alive");
}

/// The certificate is over before the test is.
class ClusterExpiry : public ClusterRenewal {
protected:
  ClusterExpiry() : ClusterRenewal("10s") {}
};

TEST_F(ClusterExpiry, SaysOnBothSidesHowANodeComesBack) {
  begin_there("echo draft > draft.txt\n" + scripts::sleeper);
  n.kill();
  auto told = w.await("node_expired", "node:worker");
  EXPECT_THAT(told["data"]["reason"].get<std::string>(),
              HasSubstr("ao node token --name worker"));
  EXPECT_THAT(w.ask({"node", "show", "worker"})["why"].get<std::string>(),
              HasSubstr("ao node token --name worker"));
  auto end = n.call({"run"});
  EXPECT_EQ(end.status.code, 6);
  EXPECT_THAT(end.err, HasSubstr("certificate_expired"));
  EXPECT_THAT(end.err, HasSubstr("ao-node join <host:port> <token>"));
  EXPECT_EQ(std::count(end.err.begin(), end.err.end(), '\n'), 1);
  // What it says, works, and the node has what it had.
  n.join(port, {"--name", "worker"});
  n.start();
  w.await("node_returned", "node:worker", told["seq"]);
  EXPECT_EQ(w.ask({"session", "show", "app-1"})["node"], "worker");
  EXPECT_TRUE(fs::exists(n.worktree("app-1") / "draft.txt"));
  EXPECT_EQ(of_kind("node_expired").size(), 1u);
}

} // namespace
