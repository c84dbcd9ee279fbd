#include "tests/support/agent_scripts.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

class ClusterOutput : public cluster_fixture {};

/// `count` lines of 150 characters, numbered, then waits.
std::string prints(int count) {
  return "seq -f '%0150.0f' " + std::to_string(count)
    + "\ntouch \"$HOME/printed\"\n" + scripts::patient;
}

TEST_F(ClusterOutput, OfALiveTerminalComesInPartsThroughTheHub) {
  constexpr int lines = 4000;
  begin_there(prints(lines));
  w.await_file("printed");
  // What was printed may still be on its way to the terminal.
  json logs;
  std::string text;
  auto until = mono_time::clock::now() + world::patience;
  do {
    logs = w.ask({"logs", "app-1"});
    text = logs["data"].empty() ? "" : logs["data"][0]["text"];
  } while (std::count(text.begin(), text.end(), '\n') < lines
           && mono_time::clock::now() < until);
  // More than two parts of it.
  EXPECT_GT(text.size(), 2u * 256 * 1024);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), lines);
  EXPECT_THAT(text, testing::EndsWith("04000\n"));
  // The node keeps no text that was read.
  EXPECT_TRUE(fs::is_empty(n.home() / "cluster/screens"));
  // One part as programs see it.
  auto part = w.api().call("GET", "/api/v1/sessions/app-1/output");
  ASSERT_TRUE(part);
  EXPECT_EQ(part->body["node"], "worker");
  EXPECT_LE(part->body["text"].get<std::string>().size(), 256u * 1024);
  EXPECT_FALSE(part->body["snapshot"].is_null());
}

TEST_F(ClusterOutput, OfARunThatHasEndedIsReadWhereItWas) {
  begin_there("echo spoken from afar\n" + scripts::patient);
  w.touch("go");
  w.await("merged", "change:app#1");
  auto logs = w.ao({"logs", "app-1"});
  EXPECT_EQ(logs.status.code, 0) << logs.err;
  EXPECT_THAT(logs.out, HasSubstr("run 1"));
  EXPECT_THAT(logs.out, HasSubstr("spoken from afar"));
}

TEST_F(ClusterOutput, OfANodeThatIsAwayIsOneClearError) {
  begin_there(scripts::sleeper);
  n.kill();
  w.await("node_suspect", "node:worker");
  auto end = w.ao({"logs", "app-1"});
  EXPECT_EQ(end.status.code, 1);
  EXPECT_THAT(end.err, HasSubstr("not_reachable"));
  EXPECT_THAT(end.err, HasSubstr("node worker"));
  n.start();
  w.await("node_returned", "node:worker");
  EXPECT_EQ(w.ao({"logs", "app-1"}).status.code, 0);
}

TEST_F(ClusterOutput, OfANodeThatSaysNothingIsAnErrorToo) {
  begin_there(scripts::sleeper);
  n.freeze();
  // More readers than the window is wide: all get their answer.
  std::vector<child> readers;
  for (int i = 0; i < 6; ++i)
    readers.push_back(w.start_ao({"logs", "app-1"}));
  for (auto& r : readers) {
    ASSERT_TRUE(wait_ended(r.pidfd.get(), world::patience));
    EXPECT_NE(reap(r.pidfd.get())->code, 0);
  }
  n.thaw();
  // Its connection may have been given up meanwhile.
  auto until = mono_time::clock::now() + world::patience;
  while (w.ao({"logs", "app-1"}).status.code != 0)
    ASSERT_LT(mono_time::clock::now(), until);
}

} // namespace
