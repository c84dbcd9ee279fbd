#include "runtime/process/process_table.hpp"
#include "tests/support/agent_scripts.hpp"
#include "tests/support/cluster_fixture.hpp"
#include "tests/support/places.hpp"
#include "tests/support/terminal_program.hpp"

#include <gmock/gmock.h>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

class ClusterTalk : public cluster_fixture {};

TEST_F(ClusterTalk, AMessageReachesTheAgentOnItsNode) {
  begin_there("read -r line\necho \"$line\" > \"$HOME/heard\"\n"
              + scripts::patient);
  auto sent = w.ao({"send", "app-1", "hello from afar", "--wait=ack"});
  EXPECT_EQ(sent.status.code, 0) << sent.err;
  w.await_file("heard");
  auto all = w.ask({"messages", "app-1"});
  ASSERT_EQ(all["data"].size(), 1u);
  EXPECT_EQ(all["data"][0]["state"], "acknowledged");
  w.touch("go");
  w.await("merged", "change:app#1");
  EXPECT_EQ(content_of(w.user() / "heard"), "hello from afar\n");
}

TEST_F(ClusterTalk, SavedWorkIsShownWhereItIs) {
  begin_there("echo unfinished > work\ntouch \"$HOME/written\"\n"
              + scripts::sleeper);
  w.await_file("written");
  w.ask({"session", "kill", "app-1"});
  auto kept = w.ask({"session", "show", "app-1"})["rescue"];
  ASSERT_EQ(kept.size(), 1u);
  fs::path repository = kept[0]["repo"].get<std::string>();
  EXPECT_EQ(repository, n.home() / "repos/app.git");
  EXPECT_EQ(
    w.git(repository, {"show", kept[0]["ref"].get<std::string>() + ":work"}),
    "unfinished");
}

TEST_F(ClusterTalk, TheTerminalIsLookedAtOnItsNode) {
  begin_there("echo \"it is me\"\n" + scripts::patient);
  pid_t agent = w.ask({"session", "show", "app-1"})["runtime"]["pid"];
  EXPECT_EQ(n.call({"attach", "app-1"}).status.code, 2);
  EXPECT_EQ(n.call({"attach", "app-9"}).status.code, 3);
  EXPECT_EQ(n.call({"attach"}).status.code, 2);
  auto env = w.variables();
  env.set("AO_HOME", n.home().string()).set("TERM", "xterm");
  // The keys that detach.
  auto looked = run_on_terminal(
    {{program_path("ao-node"), "attach", "app-1"}, env.to_vector(), {}},
    {"it is me",
     {"\x02"
      "d"}});
  EXPECT_EQ(looked.code, 0) << looked.screen;
  EXPECT_THAT(looked.screen, HasSubstr("detached"));
  EXPECT_TRUE(process_of(agent));
  EXPECT_EQ(w.ask({"session", "show", "app-1"})["runtime"]["pid"], agent);
  w.touch("go");
  w.await("session_cleaned", "session:app-1");
  EXPECT_EQ(n.call({"attach", "app-1"}).status.code, 4);
}

} // namespace
