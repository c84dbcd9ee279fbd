#include "runtime/tls/channel.hpp"
#include "runtime/tls/files.hpp"
#include "tests/support/node_host.hpp"

#include <gmock/gmock.h>

#include <poll.h>
#include <sys/stat.h>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;

namespace {

class ClusterJoin : public testing::Test {
protected:
  void init() {
    auto end = w.ao({"cluster", "init", "--json"});
    ASSERT_EQ(end.status.code, 0) << end.err;
    fingerprint = json::parse(end.out)["caFingerprint"];
    w.start();
  }

  /// The reason of the last refusal on record.
  std::string refusal() const {
    std::string out;
    for (const auto& e : w.events())
      if (e["kind"] == "node_refused")
        out = e["data"]["reason"];
    return out;
  }

  std::string door() const { return "127.0.0.1:" + std::to_string(port); }

  unsigned port = free_port_pair();
  world w{clustered(port)};
  std::string fingerprint;
};

TEST_F(ClusterJoin, NeedsAnAuthorityBeforeAPortIsOpened) {
  w.write_config();
  auto end = w.ao({"start"});
  EXPECT_EQ(end.status.code, 1);
  EXPECT_THAT(end.err, HasSubstr("cluster_not_initialised"));
  EXPECT_THAT(end.err, HasSubstr("ao cluster init"));
}

TEST_F(ClusterJoin, KeepsItsSecretsToItselfAndIsMadeOnce) {
  init();
  for (const auto* name : {"ca.pem", "ca.key", "hub.pem", "hub.key"}) {
    struct stat there {};
    ASSERT_EQ(::stat((w.home() / "tls" / name).c_str(), &there), 0) << name;
    EXPECT_EQ(there.st_mode & 0777, 0600u) << name;
  }
  EXPECT_EQ(w.ao({"cluster", "init"}).status.code, 4);
}

TEST_F(ClusterJoin, LetsOneNodeInWithOneToken) {
  init();
  auto made
    = w.ask({"node", "token", "--name", "worker", "--label", "gpu=yes"});
  EXPECT_EQ(made["caFingerprint"], fingerprint);
  std::string token = made["token"];
  node_host n{w, "node"};
  auto end = n.call({"join", door(), token});
  ASSERT_EQ(end.status.code, 0) << end.err;
  EXPECT_THAT(end.out, testing::EndsWith("\nNODE=worker\n"));
  auto row = w.ask({"node", "show", "worker"});
  EXPECT_EQ(row["state"], "joining");
  EXPECT_EQ(row["labels"]["gpu"], "yes");

  // The key is the node's, and of the token nothing is kept.
  EXPECT_TRUE(std::filesystem::exists(n.home() / "tls/node.key"));
  auto secret = token.substr(token.find('.') + 1, 32);
  EXPECT_EQ(content_of(w.home() / "ao.db").find(secret), std::string::npos);
  EXPECT_EQ(content_of(w.home() / "ao.db-wal").find(secret), std::string::npos);

  node_host other{w, "other"};
  end = other.call({"join", door(), token});
  EXPECT_EQ(end.status.code, 6);
  EXPECT_THAT(end.err, HasSubstr("token_used"));
  EXPECT_EQ(refusal(), "token_used");
}

TEST_F(ClusterJoin, RefusesEveryWrongTokenByName) {
  init();
  node_host n{w, "node"};
  auto made = w.ask({"node", "token", "--ttl", "1s"});
  std::string token = made["token"];
  std::string expires = made["expiresAt"];
  // Nobody has made this one.
  auto wrong = token;
  auto& digit = wrong[wrong.find('.') + 1];
  digit = digit == '0' ? '1' : '0';
  auto end = n.call({"join", door(), wrong});
  EXPECT_EQ(end.status.code, 6);
  EXPECT_THAT(end.err, HasSubstr("bad_token"));
  EXPECT_EQ(refusal(), "bad_token");

  // One of another cluster is not even told to this hub.
  auto foreign = token.substr(0, token.rfind('.') + 1) + std::string(64, 'a');
  end = n.call({"join", door(), foreign});
  EXPECT_EQ(end.status.code, 6);
  EXPECT_THAT(end.err, HasSubstr("token_foreign"));
  // Whoever tells it all the same is refused by name.
  auto heard = tls::ask_door(
    "127.0.0.1", static_cast<std::uint16_t>(port), fingerprint,
    json{{"protocol", 1}, {"token", foreign}, {"request", "none"}}.dump());
  ASSERT_TRUE(heard) << to_string(heard.error());
  EXPECT_EQ(json::parse(heard->line)["error"], "token_foreign");
  EXPECT_EQ(refusal(), "token_foreign");

  // The one that counts a second is over when the clock says so.
  while (wall_now() <= *parse_time(expires))
    ::poll(nullptr, 0, 50);
  end = n.call({"join", door(), token});
  EXPECT_EQ(end.status.code, 6);
  EXPECT_THAT(end.err, HasSubstr("token_expired"));
  EXPECT_EQ(refusal(), "token_expired");
  EXPECT_FALSE(std::filesystem::exists(n.home() / "hub.json"));
}

} // namespace
