// A tmux server that does not answer: nobody knows how its agents are, so
// nothing ends.

#include "runtime/tmux/tmux.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <csignal>

using namespace ao;
using nlohmann::json;

namespace {

/// Works when it has read a word.
constexpr const char* patient = R"(
echo ready
read -r word
echo "$word" > "$AO_SESSION.txt"
git add --all
git commit --quiet --message "Work of $AO_SESSION"
)";

class FrozenTerminal : public testing::Test {
protected:
  FrozenTerminal() : w(impatient()) {
    w.add_agent("patient", patient);
    w.start();
    for (const auto* title : {"First", "Second"})
      w.ask({"spawn", w.add_task(title)});
    for (const auto* session : {"app-1", "app-2"})
      pids.push_back(pid_of(session));
    tmux_place place;
    place.socket = w.ask({"session", "show", "app-1"})["tmux"]["socket"];
    tmux_server terminal{place};
    auto pid = terminal.server_pid();
    EXPECT_TRUE(pid);
    server = pid ? *pid : 0;
    EXPECT_GT(server, 1);
    ::kill(server, SIGSTOP);
  }

  ~FrozenTerminal() override { ::kill(server, SIGCONT); }

  /// An agent counts as hung before a question to tmux is given up.
  static world_options impatient() {
    world_options o;
    o.settings = "limits: {sessions: 64, spawnsPerMinute: 0, "
                 "minFreeMemory: 1MiB, minFreeDisk: 1MiB}\n"
                 "restart: {delay: 50ms, maxDelay: 200ms}\n"
                 "hang: {after: 3s}\n";
    return o;
  }

  pid_t pid_of(const std::string& session) {
    return w.ask({"session", "show", session})["runtime"]["pid"].get<pid_t>();
  }

  /// Waits for more than one question to the server to be given up: a new
  /// session looks for room on it first.
  void outlast_it() {
    EXPECT_EQ(w.ao({"spawn", w.add_task("Meanwhile")}).status.code, 0);
  }

  void expect_all_well() {
    EXPECT_EQ(pid_of("app-1"), pids[0]);
    EXPECT_EQ(pid_of("app-2"), pids[1]);
    for (const auto& e : w.events())
      EXPECT_NE(e["kind"], "agent_exited") << e;
    ::kill(server, SIGCONT);
    for (const auto* session : {"app-1", "app-2", "app-3"})
      EXPECT_EQ(w.ao({"send", session, "hello"}).status.code, 0);
    for (const auto* task : {"task:T1", "task:T2", "task:T3"})
      w.await("task_closed", task);
    for (const auto* session : {"app-1", "app-2"}) {
      EXPECT_EQ(w.ask({"session", "show", session})["run"], 1);
      EXPECT_EQ(
        w.git(w.forge(), {"show", "main:" + std::string{session} + ".txt"}),
        "hello");
    }
  }

  world w;
  std::vector<pid_t> pids;
  pid_t server = 0;
};

TEST_F(FrozenTerminal, IsUnknownAndNotDead) {
  outlast_it();
  expect_all_well();
}

TEST_F(FrozenTerminal, EndsNothingWhenTheHubStartsAnew) {
  w.kill_hub();
  EXPECT_EQ(w.ask({"start"})["adopted"], 2);
  outlast_it();
  expect_all_well();
}

} // namespace
