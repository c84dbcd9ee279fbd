#include "runtime/io/fd.hpp"
#include "tests/support/agent_scripts.hpp"
#include "tests/support/node_host.hpp"

#include <gmock/gmock.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

namespace {

/// One hub and two nodes.
class ClusterLinks : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_EQ(w.ao({"cluster", "init"}).status.code, 0);
    w.add_agent("busy", scripts::sleeper);
    w.start();
    for (auto* one : {&n1, &n2}) {
      auto name = one == &n1 ? "n1" : "n2";
      one->join(port, {"--name", name});
      one->start();
      w.await("node_joined", std::string{"node:"} + name);
    }
  }

  std::string last_beat() const {
    return w.ask({"node", "show", "n1"})["lastHeartbeatAt"];
  }

  /// Waits until the first node was heard several times more, and finds that
  /// its connection is the one that it was.
  void expect_link_holds() const {
    auto until = mono_time::clock::now() + world::patience;
    auto seen = last_beat();
    for (int beats = 0; beats < 4;) {
      ASSERT_LT(mono_time::clock::now(), until);
      auto now = last_beat();
      beats += now != seen;
      seen = now;
    }
    EXPECT_THAT(n1.log(), Not(HasSubstr("hub_lost")));
  }

  unsigned port = free_port_pair();
  world w{clustered(port)};
  node_host n1{w, "n1"};
  node_host n2{w, "n2"};
};

TEST_F(ClusterLinks, OneNodesDeathIsNoMatterOfTheOthers) {
  n2.kill();
  w.await("node_suspect", "node:n2");
  expect_link_holds();
}

TEST_F(ClusterLinks, AStrangersWordsAreNoMatterOfTheNodes) {
  unique_fd stranger{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(static_cast<std::uint16_t>(port + 1));
  ASSERT_EQ(
    ::connect(stranger.get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  const std::string words = "GET / HTTP/1.1\r\n\r\n";
  ASSERT_EQ(::write(stranger.get(), words.data(), words.size()),
            static_cast<ssize_t>(words.size()));
  // Until it is shown the door.
  char answer[64];
  while (::read(stranger.get(), answer, sizeof answer) > 0) {
  }
  expect_link_holds();
}

} // namespace
