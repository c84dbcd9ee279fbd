// A disk that takes no writes, for a while: full, read-only or failing. The
// hub goes on reading, loses nothing, and writes again when it can.

#include "tests/support/agent_scripts.hpp"
#include "tests/support/machine_faults.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cerrno>
#include <optional>

using namespace ao;
using nlohmann::json;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t disk_size = 48u << 20;
constexpr const char* no_mounts
  = "this process may not mount (needs root and CAP_SYS_ADMIN)";

/// Says that it runs, waits until told by `$HOME/go`, works, ends.
const std::string patient = R"(echo "$$ $AO_RUN" >> "$HOME/$AO_SESSION.starts"
)" + scripts::patient;

enum class trouble { full, read_only, failing_sync };

std::ostream& operator<<(std::ostream& out, trouble x) {
  return out << (x == trouble::full          ? "Full"
                   : x == trouble::read_only ? "ReadOnly"
                                             : "FailingSync");
}

/// What the error has to say.
const char* word_for(trouble x) {
  return x == trouble::full   ? "full"
    : x == trouble::read_only ? "Read-only file system"
                              : "Input/output error";
}

world_options options_for(trouble x) {
  world_options o;
  o.settings = "limits: {sessions: 64, spawnsPerMinute: 0, "
               "minFreeMemory: 1MiB, minFreeDisk: 64KiB}\n"
               "restart: {delay: 50ms, maxDelay: 200ms}\n";
  if (x == trouble::full)
    o.disk = disk_size;
  return o;
}

std::size_t count_of(const std::vector<json>& events, const char* kind) {
  return static_cast<std::size_t>(
    std::count_if(events.begin(), events.end(),
                  [kind](const json& e) { return e["kind"] == kind; }));
}

/// Two agents work while the disk fails.
class FailingDisk : public testing::TestWithParam<trouble> {
protected:
  void SetUp() override {
    if (GetParam() == trouble::full && !small_disk::allowed())
      GTEST_SKIP() << no_mounts;
    w.emplace(options_for(GetParam()));
    faults.emplace(w->root() / "faults", w->home());
    for (const auto& [name, value] : faults->variables())
      w->set_variable(name, value);
    w->add_agent("patient", patient);
    hub = w->start();
  }

  void break_disk() {
    switch (GetParam()) {
    case trouble::full:
      return w->disk().fill();
    case trouble::read_only:
      return faults->fail_writes(EROFS);
    case trouble::failing_sync:
      return faults->fail_syncs(EIO);
    }
  }

  void repair_disk() {
    if (GetParam() == trouble::full)
      w->disk().free_again();
    faults->fail_writes(0);
    faults->fail_syncs(0);
  }

  /// Adds tasks until one cannot be added; how that was said. What fits into
  /// the last page of a full disk is added.
  finished refused_task() {
    finished end;
    for (int i = 0; i < 100; ++i) {
      end = w->ao({"task", "add", "--json", "--body", std::string(2000, 'x'),
                   "Doomed " + std::to_string(i)});
      if (end.status.code != 0)
        break;
      added += 1;
    }
    return end;
  }

  json session(const std::string& id) {
    return w->ask({"session", "show", id});
  }

  std::optional<world> w;
  std::optional<machine_faults> faults;
  pid_t hub = 0;
  std::size_t added = 0;
};

TEST_P(FailingDisk, KeepsNobodyFromReadingAndIsGotOverByItself) {
  for (const auto* title : {"First", "Second"})
    w->ask({"spawn", w->add_task(title)});
  auto first = session("app-1")["runtime"];
  auto second = session("app-2")["runtime"];
  break_disk();

  // One clear error: what, where, what to do.
  auto refused = refused_task();
  EXPECT_EQ(refused.status.code, 1);
  auto problem = json::parse(refused.out, nullptr, false);
  ASSERT_TRUE(problem.is_object()) << refused.out << refused.err;
  EXPECT_EQ(problem["error"], "store_failed");
  for (const auto& text :
       {(w->home() / "ao.db").string(), std::string{word_for(GetParam())},
        std::string{"; "}, std::string{"tried again by itself"}})
    EXPECT_THAT(refused.err, HasSubstr(text));
  EXPECT_EQ(w->ao({"task", "add", "Doomed, too"}).err, refused.err);
  EXPECT_EQ(w->ao({"session", "kill", "app-1"}).status.code, 1);

  // Reading goes on, and says so.
  auto status = w->ask({"status"});
  EXPECT_EQ(status["data"].size(), 2u);
  EXPECT_THAT(status["meta"]["storeTrouble"]["reason"].dump(),
              HasSubstr("ao.db"));
  EXPECT_THAT(w->ao({"status"}).out, HasSubstr("Nothing can be written"));
  EXPECT_EQ(w->ask({"task", "ls"})["data"].size(), 2 + added);
  EXPECT_EQ(w->ao({"why", "app-1"}).status.code, 0);
  EXPECT_THAT(w->events(), Not(IsEmpty()));
  auto doctor = w->ao({"doctor"});
  EXPECT_EQ(doctor.status.code, 1);
  EXPECT_THAT(doctor.out, HasSubstr("can write nothing"));

  repair_disk();
  auto recovered = w->await("store_recovered", "hub");
  EXPECT_THAT(recovered["data"]["reason"].dump(), HasSubstr("ao.db"));
  EXPECT_TRUE(w->ask({"status"})["meta"]["storeTrouble"].is_null());
  // Numbers go on without a gap: nothing of what was refused is there.
  EXPECT_EQ(w->add_task("Third"), "T" + std::to_string(3 + added));
  EXPECT_EQ(session("app-1")["runtime"]["pid"], first["pid"]);
  EXPECT_EQ(session("app-2")["runtime"]["pid"], second["pid"]);
  w->touch("go");
  for (const auto* task : {"task:T1", "task:T2"})
    w->await("task_closed", task);
  for (const auto* id : {"app-1", "app-2"}) {
    EXPECT_EQ(session(id)["status"], "merged");
    EXPECT_EQ(session(id)["run"], 1);
  }
  auto past = w->events();
  EXPECT_EQ(count_of(past, "store_degraded"), 1u);
  EXPECT_EQ(count_of(past, "store_recovered"), 1u);
  EXPECT_EQ(count_of(past, "session_parked"), 0u);
  EXPECT_EQ(w->ask({"status"})["meta"]["hub"]["pid"], hub);
  auto log = content_of(w->home() / "logs/hub.log");
  EXPECT_THAT(log, Not(HasSubstr("child_restarted")));
  EXPECT_THAT(log, Not(HasSubstr("child_given_up")));
}

TEST_P(FailingDisk, LosesNoEndOfAnAgent) {
  w->add_agent("quitter",
               scripts::waits_for("quit-$AO_RUN")
                 + "[ \"$AO_RUN\" -gt 1 ] || exit 7\n");
  ASSERT_EQ(w->ao({"stop"}).status.code, 0);
  hub = w->start();
  auto task = w->add_task("Quit", "", {"--agent", "quitter"});
  w->ask({"spawn", task});
  auto pid = session("app-1")["runtime"]["pid"].get<pid_t>();
  break_disk();
  EXPECT_EQ(refused_task().status.code, 1);
  fs::create_directory(w->user() / "quit-1");
  expect_ends(pid);
  repair_disk();
  auto ended = w->await("agent_exited", "session:app-1");
  EXPECT_EQ(ended["data"]["code"], 7) << "whether or not its file was written";
  w->await([](const json& e) {
    return e["kind"] == "agent_started" && e["data"]["run"] == 2;
  });
  fs::create_directory(w->user() / "quit-2");
  w->await("task_closed", "task:" + task);
  EXPECT_EQ(w->ask({"task", "show", task})["state"], "done");
  EXPECT_EQ(w->ask({"status"})["meta"]["hub"]["pid"], hub);
}

INSTANTIATE_TEST_SUITE_P(Trouble, FailingDisk,
                         testing::Values(trouble::full, trouble::read_only,
                                         trouble::failing_sync),
                         testing::PrintToStringParamName());

// -- beside the database ------------------------------------------------------

TEST(DiskOfANode, ThatFailsFailsTheSpawnWithItsStepAndUndoesIt) {
  world w;
  machine_faults faults{w.root() / "faults", w.home() / "sessions"};
  for (const auto& [name, value] : faults.variables())
    w.set_variable(name, value);
  w.add_agent("patient", patient);
  w.start();
  auto task = w.add_task("First");
  auto before = w.last_event();
  faults.fail_writes(ENOSPC);
  auto spawned = w.ao({"spawn", task});
  EXPECT_EQ(spawned.status.code, 1);
  EXPECT_THAT(spawned.err, HasSubstr("fetch"));
  EXPECT_THAT(spawned.err, HasSubstr("No space left on device"));
  EXPECT_EQ(w.ask({"session", "show", "app-1"})["status"], "errored");
  EXPECT_FALSE(fs::exists(w.worktree("app-1")));
  EXPECT_THAT(w.panes(), IsEmpty());
  EXPECT_THAT(w.git(w.home() / "repos/app.git",
                    {"for-each-ref", "--format=%(refname)", "refs/heads/"}),
              IsEmpty());
  faults.fail_writes(0);
  w.await("task_ready", "task:" + task, before);
  EXPECT_EQ(w.ao({"spawn", task}).status.code, 0);
  w.touch("go");
  w.await("task_closed", "task:" + task);
}

// -- while there is no hub ----------------------------------------------------

class DiskWithoutHub : public testing::Test {
protected:
  void SetUp() override {
    if (!small_disk::allowed())
      GTEST_SKIP() << no_mounts;
    w.emplace(options_for(trouble::full));
    w->add_agent("patient", patient);
    w->start();
    w->ask({"spawn", w->add_task("First")});
    agent = w->ask({"session", "show", "app-1"})["runtime"]["pid"].get<pid_t>();
  }

  std::optional<world> w;
  pid_t agent = 0;
};

TEST_F(DiskWithoutHub, ThatIsReadOnlyIsSaidByTheStart) {
  // A shim that lives keeps its lock open for writing.
  ASSERT_EQ(w->ao({"stop", "--agents"}).status.code, 0);
  w->disk().set_read_only(true);
  auto refused = w->ao({"start"});
  EXPECT_EQ(refused.status.code, 1);
  EXPECT_THAT(refused.err, HasSubstr(w->home().string()));
  EXPECT_THAT(refused.err, HasSubstr("Read-only file system"));
  w->disk().set_read_only(false);
  ASSERT_EQ(w->ao({"start", "--restore"}).status.code, 0);
  w->touch("go");
  w->await("task_closed", "task:T1");
  EXPECT_EQ(w->ask({"session", "show", "app-1"})["status"], "merged");
}

TEST_F(DiskWithoutHub, ThatIsFullIsSaidByTheStart) {
  w->kill_hub();
  w->disk().fill();
  auto refused = w->ao({"start"});
  EXPECT_EQ(refused.status.code, 1) << refused.out;
  EXPECT_THAT(refused.err, HasSubstr(w->home().string()));
  EXPECT_THAT(refused.err,
              testing::AnyOf(HasSubstr("full"), HasSubstr("No space left")));
  w->disk().free_again();
  EXPECT_EQ(w->ask({"start"})["adopted"], 1);
  w->touch("go");
  w->await("task_closed", "task:T1");
  EXPECT_EQ(w->ask({"session", "show", "app-1"})["run"], 1);
}

TEST_F(DiskWithoutHub, ThatIsFullLosesAtMostHowAnAgentEnded) {
  w->kill_hub();
  w->disk().fill();
  w->touch("go");
  expect_ends(agent);
  w->disk().free_again();
  w->start();
  // It could not commit, and nobody could hear how it ended: one more run.
  w->await("task_closed", "task:T1");
  auto shown = w->ask({"session", "show", "app-1"});
  EXPECT_EQ(shown["status"], "merged");
  EXPECT_EQ(shown["run"], 2);
}

} // namespace
