#include "runtime/process/process_table.hpp"
#include "runtime/tmux/tmux.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <cstdlib>
#include <random>
#include <set>

using namespace ao;
using nlohmann::json;
using testing::IsEmpty;
namespace fs = std::filesystem;

namespace {

/// How many deaths of each kind; `./dev soak survival` asks for more.
int deaths() {
  const auto* text = std::getenv("AO_DEATHS");
  return text != nullptr ? std::atoi(text) : 20;
}

/// Holds a lock while it or any child of it lives, so that a second writer in
/// its worktree is found out; leaves a child that hides from its parent.
/// Works when told by `$HOME/go`; what was done by an earlier run is kept.
constexpr const char* patient = R"(
exec 9> "$HOME/$AO_SESSION.lock"
flock --nonblock 9 || echo "$AO_SESSION run $AO_RUN" >> "$HOME/two-writers"
setsid nohup sleep 600 > /dev/null 2>&1 &
echo "$AO_RUN ${AO_RESUME_REASON-none}" >> "$HOME/$AO_SESSION.runs"
while [ ! -e "$HOME/go" ]; do sleep 0.05; done
echo "by $AO_SESSION" > "$AO_SESSION.txt"
git add --all
git diff --cached --quiet || git commit --quiet --message "Work of $AO_SESSION"
)";

world_options forgiving() {
  world_options o;
  o.settings
    = "limits: {sessions: 64, spawnsPerMinute: 0, "
      "minFreeMemory: 1MiB, minFreeDisk: 1MiB}\n"
      "restart: {intensity: 100, period: 5s, delay: 20ms, maxDelay: 50ms}\n";
  return o;
}

/// A few agents that work while somebody kills.
class Deaths : public testing::Test {
protected:
  static constexpr int agents = 4;

  Deaths() : w(forgiving()) {
    w.add_agent("patient", patient);
    w.start();
  }

  void spawn_all() {
    for (int i = 1; i <= agents; ++i)
      w.ask({"spawn", w.add_task("Task " + std::to_string(i))});
  }

  json runtime_of(const std::string& session) {
    return w.ask({"session", "show", session})["runtime"];
  }

  std::string any_session() {
    return "app-" + std::to_string(1 + random() % agents);
  }

  /// Kills the process that `member` of a random live session names.
  void kill_one(const char* member) {
    for (;;) {
      auto runtime = runtime_of(any_session());
      if (runtime["state"] == "alive" && runtime[member].is_number()
          && ::kill(runtime[member].get<pid_t>(), SIGKILL) == 0)
        return;
    }
  }

  /// A moment that falls anywhere within a restart.
  void pass_a_moment() {
    std::uniform_int_distribution<int> length{0, 120};
    ::usleep(static_cast<useconds_t>(length(random)) * 1000);
  }

  /// Lets the agents finish, and looks at what all the deaths have left.
  void expect_the_work_went_on() {
    fs::create_directory(w.user() / "go");
    for (int i = 1; i <= agents; ++i) {
      auto task = "T" + std::to_string(i);
      auto session = "app-" + std::to_string(i);
      auto closed = w.await("task_closed", "task:" + task);
      ASSERT_FALSE(closed.is_null()) << task << " is stuck";
      EXPECT_EQ(w.ask({"task", "show", task})["state"], "merged");
      w.await("session_cleaned", "session:" + session);
      EXPECT_EQ(w.git(w.forge(), {"show", "main:" + session + ".txt"}),
                "by " + session);
    }
    EXPECT_FALSE(fs::exists(w.user() / "two-writers"))
      << content_of(w.user() / "two-writers");
    expect_no_run_twice();
    EXPECT_THAT(w.panes(), IsEmpty());
    EXPECT_TRUE(fs::is_empty(w.home() / "worktrees"));
    EXPECT_THAT(w.git(w.home() / "repos/app.git",
                      {"for-each-ref", "--format=%(refname)", "refs/heads/"}),
                IsEmpty());
    EXPECT_THAT(marked(), IsEmpty());
  }

  void expect_no_run_twice() {
    std::set<std::pair<std::string, int>> started;
    for (const auto& e : w.events()) {
      EXPECT_LE(e["epoch"], 1) << "no grant was lost, so none was repeated";
      if (e["kind"] != "agent_started")
        continue;
      auto run = std::pair{e["subject"].get<std::string>(),
                           e["data"]["run"].get<int>()};
      EXPECT_TRUE(started.insert(run).second)
        << run.first << " run " << run.second;
    }
  }

  /// Processes of this world that an agent has started.
  std::vector<pid_t> marked() {
    std::vector<pid_t> out;
    auto tmpdir = w.variables().get("TMPDIR");
    auto all = all_processes();
    EXPECT_TRUE(all);
    for (const auto& p : *all)
      if (!p.ended() && environ_value(p.pid, "TMPDIR") == tmpdir
          && environ_value(p.pid, mark_variable))
        out.push_back(p.pid);
    return out;
  }

  std::minstd_rand random{std::random_device{}()};
  world w;
};

TEST_F(Deaths, OfAgentsLoseNoWork) {
  spawn_all();
  for (int i = 0; i < deaths(); ++i) {
    kill_one("pid");
    pass_a_moment();
  }
  expect_the_work_went_on();
}

TEST_F(Deaths, OfShimsLoseNoWork) {
  spawn_all();
  for (int i = 0; i < deaths(); ++i) {
    kill_one("shimPid");
    pass_a_moment();
  }
  expect_the_work_went_on();
}

TEST_F(Deaths, OfTheTmuxServerLoseNoWork) {
  spawn_all();
  for (int i = 0; i < deaths(); ++i) {
    auto session = any_session();
    json shown;
    do
      shown = w.ask({"session", "show", session});
    while (shown["runtime"]["state"] != "alive");
    tmux_place place;
    place.socket = shown["tmux"]["socket"];
    tmux_server server{place};
    if (auto pid = server.server_pid())
      ::kill(*pid, SIGKILL);
    pass_a_moment();
  }
  expect_the_work_went_on();
}

TEST_F(Deaths, OfTheHubLoseNoWork) {
  spawn_all();
  for (int i = 0; i < deaths(); ++i) {
    w.kill_hub();
    w.start();
    pass_a_moment();
  }
  expect_the_work_went_on();
  for (int i = 1; i <= agents; ++i)
    EXPECT_EQ(content_of(w.user() / ("app-" + std::to_string(i) + ".runs")),
              "1 none\n")
      << "an agent outlives its hub";
}

TEST_F(Deaths, OfTheHubAtEachStepOfASpawnLeaveNothingHalfMade) {
  for (int i = 1; i <= agents; ++i)
    w.add_task("Task " + std::to_string(i));
  const char* steps[] = {"worktree", "checkout", "launch", "agent"};
  for (int i = 1; i <= agents; ++i) {
    auto session = "app-" + std::to_string(i);
    auto spawned = w.ao({"spawn", "T" + std::to_string(i), "--no-wait"});
    ASSERT_EQ(spawned.status.code, 0) << spawned.err;
    w.await([&](const json& e) {
      return e["kind"] == "session_step" && e["subject"] == "session:" + session
        && e["data"]["step"] == steps[i - 1];
    });
    w.kill_hub();
    w.start();
    w.await([&](const json& e) {
      return e["subject"] == "session:" + session
        && (e["kind"] == "agent_started" || e["kind"] == "session_adopted");
    });
  }
  expect_the_work_went_on();
}

TEST_F(Deaths, OfEverythingAtOnceLoseNoWork) {
  spawn_all();
  // As after a power cut: every process is gone, and run/ is emptied.
  w.kill_hub();
  for (auto pid : marked())
    ::kill(pid, SIGKILL);
  fs::remove_all(w.home() / "run");
  w.start();
  for (int i = 1; i <= agents; ++i)
    w.await([&](const json& e) {
      return e["subject"] == "session:app-" + std::to_string(i)
        && e["kind"] == "agent_started" && e["data"]["run"] == 2;
    });
  expect_the_work_went_on();
}

} // namespace
