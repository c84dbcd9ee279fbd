#include "runtime/home/home.hpp"
#include "runtime/home/lock.hpp"
#include "tests/support/agent_scripts.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <optional>

using namespace ao;
using nlohmann::json;
using testing::Contains;
using testing::Not;
namespace fs = std::filesystem;

namespace {

/// Says that it runs, waits until told by `$HOME/go`, works, ends.
const std::string patient = R"(echo "$$ $AO_RUN" >> "$HOME/$AO_SESSION.starts"
)" + scripts::patient;

/// How a hub may go while its agents work.
enum class end_of_hub { stopped, killed };

class Survival : public testing::TestWithParam<end_of_hub> {
protected:
  Survival() {
    w.add_agent("patient", patient);
    w.start();
  }

  /// Starts an agent on a new task; the session.
  std::string begin(const std::string& title) {
    return w.ask({"spawn", w.add_task(title)}).value("id", "");
  }

  pid_t agent_of(const std::string& session) {
    auto pid = w.ask({"session", "show", session})["runtime"]["pid"];
    return pid.is_number() ? pid.get<pid_t>() : 0;
  }

  void end_hub() {
    if (GetParam() == end_of_hub::killed)
      return w.kill_hub();
    auto end = w.ao({"stop"});
    EXPECT_EQ(end.status.code, 0) << end.err;
    EXPECT_FALSE(fs::exists(w.hub_socket()));
  }

  void tell_agents_to_go() { w.touch("go"); }

  void expect_merged(const std::string& session, const std::string& task) {
    w.await("task_closed", "task:" + task);
    EXPECT_EQ(w.ask({"task", "show", task})["state"], "merged");
    auto shown = w.ask({"session", "show", session});
    EXPECT_EQ(shown["status"], "merged");
    EXPECT_EQ(shown["run"], 1);
    EXPECT_EQ(shown["epoch"], 1);
    EXPECT_EQ(shown["restarts"], 0);
    EXPECT_EQ(w.git(w.forge(), {"show", "main:" + session + ".txt"}),
              "by " + session);
    // Started once, and never again.
    auto starts = content_of(w.user() / (session + ".starts"));
    EXPECT_EQ(std::count(starts.begin(), starts.end(), '\n'), 1) << starts;
    w.await("session_cleaned", "session:" + session);
    EXPECT_FALSE(fs::exists(w.worktree(session)));
    EXPECT_THAT(w.panes(), Not(Contains(session)));
  }

  world w;
};

TEST_P(Survival, FindsTheAgentsThatWentOnWithoutAHub) {
  auto first = begin("First");
  auto second = begin("Second");
  auto pids = std::pair{agent_of(first), agent_of(second)};
  ASSERT_GT(pids.first, 0);
  end_hub();
  EXPECT_TRUE(fs::exists("/proc/" + std::to_string(pids.first)));
  EXPECT_TRUE(fs::exists("/proc/" + std::to_string(pids.second)));
  auto after = w.ask({"start"});
  EXPECT_EQ(after["adopted"], 2);
  EXPECT_EQ(after["alreadyRunning"], false);
  EXPECT_EQ((std::pair{agent_of(first), agent_of(second)}), pids);
  EXPECT_EQ(w.ask({"session", "show", first})["status"], "working");
  // The claims held throughout.
  EXPECT_EQ(w.ao({"spawn", "T1"}).status.code, 4);
  tell_agents_to_go();
  expect_merged(first, "T1");
  expect_merged(second, "T2");
}

TEST_P(Survival, LearnsHowAnAgentEndedWhileThereWasNoHub) {
  auto session = begin("First");
  auto pid = agent_of(session);
  ASSERT_GT(pid, 0);
  end_hub();
  tell_agents_to_go();
  expect_ends(pid);
  w.start();
  expect_merged(session, "T1");
}

TEST_P(Survival, BringsEverythingBackAfterTheHostWasStartedAnew) {
  std::vector<std::string> sessions;
  for (const auto* title : {"First", "Second", "Third"})
    sessions.push_back(begin(title));
  end_hub();
  w.lose_power();
  w.start();
  tell_agents_to_go();
  for (const auto& session : sessions) {
    w.await("session_cleaned", "session:" + session);
    auto shown = w.ask({"session", "show", session});
    EXPECT_EQ(shown["status"], "merged");
    EXPECT_EQ(shown["run"], 2);
    // Nobody counts it against the agent.
    EXPECT_EQ(shown["restarts"], 0);
    auto died = w.await("agent_exited", "session:" + session);
    EXPECT_EQ(died["data"]["cause"], "reboot");
  }
}

TEST_P(Survival, KeepsWhatWaitsForItsTurn) {
  auto first = w.add_task("First");
  auto second = w.add_task("Second", "", {"--needs", first});
  EXPECT_EQ(w.ask({"spawn", second})["runtime"]["state"], "queued");
  auto working = w.ask({"spawn", first}).value("id", "");
  end_hub();
  w.start();
  EXPECT_EQ(w.ask({"task", "show", second})["state"], "blocked");
  tell_agents_to_go();
  expect_merged(working, first);
  expect_merged("app-1", second);
}

TEST_P(Survival, ContinuesItsRecordWhereItEnded) {
  auto task = w.add_task("First");
  auto before = w.events();
  end_hub();
  w.start();
  auto after = w.events();
  ASSERT_GT(after.size(), before.size());
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_EQ(after[i], before[i]);
  for (std::size_t i = 1; i < after.size(); ++i)
    EXPECT_GT(after[i]["seq"], after[i - 1]["seq"]);
  // Numbers are never given twice.
  EXPECT_EQ(w.add_task("Second"), "T2");
  EXPECT_EQ(w.ask({"task", "show", task})["title"], "First");
}

INSTANTIATE_TEST_SUITE_P(
  Hub, Survival, testing::Values(end_of_hub::stopped, end_of_hub::killed),
  [](const auto& p) {
    return p.param == end_of_hub::killed ? "KilledOutright" : "StoppedInOrder";
  });

/// Whether the process waits for something to appear in a directory.
bool watches_a_directory(pid_t pid) {
  std::error_code gone;
  for (const auto& one :
       fs::directory_iterator{"/proc/" + std::to_string(pid) + "/fd", gone})
    if (fs::read_symlink(one.path(), gone) == "anon_inode:inotify")
      return true;
  return false;
}

TEST(Start, BeginsAnewWhenWhoHeldTheLockHasLetGoOfIt) {
  world w;
  w.add_agent("patient", patient);
  w.start();
  ASSERT_EQ(w.ao({"stop"}).status.code, 0);
  // As a child of a killed hub does until it runs its own program.
  auto lock = home_lock::take(locate_home(w.home().string()));
  ASSERT_TRUE(lock);
  std::optional<home_lock> held{std::move(*lock)};
  auto start = w.start_ao({"start"});
  while (!watches_a_directory(start.pid)
         && !wait_ended(start.pidfd.get(), milliseconds{1}))
    ;
  held.reset();
  ASSERT_TRUE(wait_ended(start.pidfd.get(), world::patience));
  auto end = reap(start.pidfd.get());
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code, 0);
  EXPECT_EQ(w.ask({"start"})["alreadyRunning"], true);
}

} // namespace
