#include "tests/support/agent_scripts.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <regex>

using namespace ao;
using nlohmann::json;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

namespace {

bool is_time(const json& value) {
  static const std::regex form{R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"};
  return value.is_string() && std::regex_match(value.get<std::string>(), form);
}

std::vector<std::string> names_of(const json& object) {
  std::vector<std::string> out;
  for (const auto& [name, value] : object.items())
    out.push_back(name);
  return out;
}

/// What every row of `status` has (CONTRACT §3).
const std::vector<std::string> status_members = {"name",
                                                 "role",
                                                 "branch",
                                                 "status",
                                                 "summary",
                                                 "pr",
                                                 "prNumber",
                                                 "issue",
                                                 "lastActivity",
                                                 "project",
                                                 "ciStatus",
                                                 "reviewDecision",
                                                 "pendingThreads",
                                                 "activity",
                                                 "task",
                                                 "epoch",
                                                 "run",
                                                 "node",
                                                 "agent",
                                                 "restarts",
                                                 "since",
                                                 "workspacePath",
                                                 "runtime",
                                                 "change",
                                                 "suspectedDuplicateOf"};

const std::vector<std::string> session_members
  = {"id",     "projectId", "projectName", "role",          "branch",
     "status", "issueId",   "pr",          "workspacePath", "lastActivityAt"};

const std::vector<std::string> task_members
  = {"id",       "key",       "project",
     "ref",      "title",     "body",
     "labels",   "priority",  "needs",
     "state",    "session",   "epoch",
     "change",   "createdAt", "updatedAt",
     "closedAt", "why",       "suspectedDuplicateOf"};

const std::vector<std::string> change_members
  = {"id",    "project", "number",    "session",   "task",
     "title", "branch",  "base",      "headSha",   "state",
     "ci",    "review",  "mergeable", "mergedSha", "url"};

TEST(Thread, BringsATaskToTheForgesMainAndCleansUp) {
  world w;
  w.add_agent("diligent", scripts::diligent);
  w.start();
  auto before = w.git(w.checkout(), {"rev-parse", "main"});
  auto added = w.ao({"task", "add", "Write a file", "--body", "any file"});
  ASSERT_EQ(added.status.code, 0) << added.err;
  EXPECT_THAT(added.out, HasSubstr("\nTASK=T1\n"));
  auto spawned = w.ao({"spawn", "T1"});
  ASSERT_EQ(spawned.status.code, 0) << spawned.err;
  EXPECT_THAT(spawned.out, testing::EndsWith("\nSESSION=app-1\n"));
  w.await("session_cleaned", "session:app-1");

  // One commit over the base, as the contract words it.
  EXPECT_EQ(w.git(w.forge(), {"rev-parse", "main^"}), before);
  EXPECT_EQ(w.git(w.forge(), {"log", "-1", "--format=%B", "main"}),
            "Write a file (app#1)\n\nAo-Task: T1\nAo-Session: app-1\n"
            "Ao-Epoch: 1\n");
  EXPECT_EQ(w.git(w.forge(), {"show", "main:app-1.txt"}), "by app-1");
  // The session's own branch is gone, here and there.
  EXPECT_EQ(
    w.git(w.forge(), {"for-each-ref", "--format=%(refname)", "refs/heads"}),
    "refs/heads/main");
  EXPECT_EQ(w.git(w.home() / "repos/app.git",
                  {"for-each-ref", "--format=%(refname)", "refs/heads"}),
            "");
  EXPECT_FALSE(fs::exists(w.worktree("app-1")));
  EXPECT_THAT(w.panes(), Not(Contains("app-1")));
  // Nothing of ours is in the user's checkout.
  EXPECT_EQ(w.git(w.checkout(), {"rev-parse", "main"}), before);
  EXPECT_EQ(w.git(w.checkout(), {"status", "--porcelain"}), "?? ao.yaml");
  EXPECT_EQ(w.git(w.checkout(), {"remote"}), "");

  auto story = w.ao({"why", "T1"});
  EXPECT_EQ(story.status.code, 0) << story.err;
  std::size_t at = 0;
  for (const auto* kind :
       {"task_added", "task_ready", "task_claimed", "session_spawned",
        "agent_started", "agent_exited", "change_opened", "merged",
        "task_closed", "now: merged"}) {
    auto found = story.out.find(kind, at);
    EXPECT_NE(found, std::string::npos) << kind << " in\n" << story.out;
    at = found == std::string::npos ? at : found;
  }
  auto task = w.ask({"task", "show", "T1"});
  EXPECT_EQ(task["state"], "merged");
  EXPECT_TRUE(is_time(task["closedAt"])) << task;
}

TEST(Thread, ShowsTheSameSessionInEveryDocument) {
  world w;
  w.add_agent("patient", scripts::patient);
  auto pid = w.start();
  auto task = w.add_task("Write a file", "any file",
                         {"--label", "easy", "--priority", "2"});
  ASSERT_EQ(w.ao({"spawn", task}).status.code, 0);

  auto status = w.ask({"status"});
  ASSERT_EQ(status["data"].size(), 1u) << status;
  const auto& row = status["data"][0];
  EXPECT_THAT(names_of(row),
              testing::UnorderedElementsAreArray(status_members));
  EXPECT_EQ(row["name"], "app-1");
  EXPECT_EQ(row["role"], "worker");
  EXPECT_EQ(row["branch"], "ao/app-1");
  EXPECT_EQ(row["status"], "working");
  EXPECT_EQ(row["task"], task);
  EXPECT_EQ(row["epoch"], 1);
  EXPECT_EQ(row["run"], 1);
  EXPECT_EQ(row["node"], "local");
  EXPECT_EQ(row["agent"], "patient");
  EXPECT_EQ(row["restarts"], 0);
  EXPECT_EQ(row["project"], "app");
  EXPECT_EQ(row["pr"], nullptr);
  EXPECT_EQ(row["change"], nullptr);
  EXPECT_EQ(row["workspacePath"], w.worktree("app-1").string());
  EXPECT_TRUE(is_time(row["since"])) << row;
  EXPECT_TRUE(is_time(row["lastActivity"])) << row;
  EXPECT_EQ(row["runtime"]["state"], "alive");
  const auto& hub = status["meta"]["hub"];
  EXPECT_EQ(hub["pid"], pid);
  EXPECT_TRUE(is_time(hub["startedAt"])) << hub;
  auto version = w.ao({"--version"}).out;
  EXPECT_THAT(version, HasSubstr(" " + hub["version"].get<std::string>() + " "))
    << "ao and hub are of one version";
  EXPECT_EQ(status["meta"]["hiddenTerminatedCount"], 0);
  EXPECT_EQ(status["meta"]["counts"], json({{"working", 1}}));

  auto list = w.ask({"session", "ls"});
  ASSERT_EQ(list["data"].size(), 1u) << list;
  EXPECT_THAT(names_of(list["data"][0]),
              testing::UnorderedElementsAreArray(session_members));
  EXPECT_EQ(list["meta"], json({{"hiddenTerminatedCount", 0}}));

  auto shown = w.ask({"session", "show", "app-1"});
  for (const auto& name : status_members)
    EXPECT_TRUE(shown.contains(name)) << name;
  for (const auto& [name, value] : list["data"][0].items())
    EXPECT_EQ(shown[name], value) << name;
  const auto& runtime = shown["runtime"];
  EXPECT_EQ(runtime["state"], "alive");
  EXPECT_EQ(runtime["exit"], nullptr);
  EXPECT_TRUE(is_time(runtime["startedAt"])) << runtime;
  EXPECT_NE(runtime["pid"], runtime["shimPid"]);
  // The agent's own process, not its shim's.
  EXPECT_THAT(content_of("/proc/" + runtime["pid"].dump() + "/cmdline"),
              HasSubstr("agents/patient"));
  EXPECT_THAT(content_of("/proc/" + runtime["shimPid"].dump() + "/cmdline"),
              HasSubstr("ao-shim"));
  EXPECT_EQ(shown["tmux"]["session"], "app-1");
  auto socket = shown["tmux"]["socket"].get<std::string>();
  EXPECT_TRUE(fs::path{socket}.is_absolute() && fs::is_socket(socket));
  EXPECT_THAT(w.panes(), Contains("app-1"));
  EXPECT_EQ(shown["claim"], json({{"epoch", 1}, {"node", "local"}}));
  EXPECT_EQ(shown["rescue"], json::array());

  auto about = w.ask({"task", "show", task});
  EXPECT_THAT(names_of(about),
              testing::UnorderedElementsAreArray(task_members));
  EXPECT_EQ(about["state"], "claimed");
  EXPECT_EQ(about["session"], "app-1");
  EXPECT_EQ(about["epoch"], 1);
  EXPECT_EQ(about["priority"], 2);
  EXPECT_EQ(about["labels"], json({"easy"}));
  EXPECT_EQ(about["needs"], json::array());
  EXPECT_EQ(about["change"], nullptr);
  EXPECT_EQ(about["closedAt"], nullptr);
  EXPECT_TRUE(is_time(about["createdAt"])) << about;
  // The key is accepted wherever the id is.
  EXPECT_EQ(w.ask({"task", "show", about["key"].get<std::string>()}), about);
  EXPECT_EQ(w.ask({"pr", "ls"}), json({{"data", json::array()}}));

  w.touch("go");
  w.await("session_cleaned", "session:app-1");
  auto changes = w.ask({"pr", "ls"});
  ASSERT_EQ(changes["data"].size(), 1u) << changes;
  const auto& change = changes["data"][0];
  EXPECT_THAT(names_of(change),
              testing::UnorderedElementsAreArray(change_members));
  EXPECT_EQ(change["id"], "app#1");
  EXPECT_EQ(change["number"], 1);
  EXPECT_EQ(change["state"], "merged");
  EXPECT_EQ(change["session"], "app-1");
  EXPECT_EQ(change["task"], task);
  EXPECT_EQ(change["title"], "Write a file");
  EXPECT_EQ(change["branch"], "ao/app-1");
  EXPECT_EQ(change["base"], "main");
  EXPECT_EQ(change["mergedSha"], w.git(w.forge(), {"rev-parse", "main"}));
  EXPECT_EQ(w.ask({"pr", "show", "app#1"}), change);
  EXPECT_EQ(w.ask({"session", "show", "app-1"})["pr"], "app#1");
  EXPECT_EQ(w.ask({"status"})["meta"]["hiddenTerminatedCount"], 1);
  auto all = w.ask({"status", "--include-terminated"});
  ASSERT_EQ(all["data"].size(), 1u) << all;
  EXPECT_EQ(all["data"][0]["status"], "merged");
  EXPECT_EQ(all["data"][0]["change"]["state"], "merged");
}

TEST(Thread, ClosesATaskThatNeededNoChange) {
  world w;
  w.add_agent("idle", "exit 0\n");
  w.start();
  auto task = w.add_task("Nothing to do");
  ASSERT_EQ(w.ao({"spawn", task}).status.code, 0);
  w.await("task_closed", "task:" + task);
  EXPECT_EQ(w.ask({"task", "show", task})["state"], "done");
  EXPECT_EQ(w.ask({"pr", "ls"})["data"], json::array());
  auto look = w.ao({"session", "cleanup", "--dry-run"});
  EXPECT_EQ(look.out, "Would kill app-1\n");
  EXPECT_TRUE(fs::exists(w.worktree("app-1")));
  auto cleaned = w.ao({"session", "cleanup"});
  EXPECT_EQ(cleaned.status.code, 0) << cleaned.err;
  EXPECT_EQ(cleaned.out, "Cleaned: app-1\n");
  EXPECT_FALSE(fs::exists(w.worktree("app-1")));
  EXPECT_EQ(w.git(w.home() / "repos/app.git",
                  {"for-each-ref", "--format=%(refname)", "refs/heads"}),
            "");
  EXPECT_EQ(w.ao({"session", "cleanup"}).out, "");
}

TEST(Thread, NeverCommitsWhatAnAgentLeftDirty) {
  world w;
  w.add_agent("untidy", "echo half > half.txt\n");
  w.start();
  auto task = w.add_task("Leave a mess");
  ASSERT_EQ(w.ao({"spawn", task}).status.code, 0);
  w.await("needs_input", "session:app-1");
  auto status = w.ask({"status"});
  ASSERT_EQ(status["data"].size(), 1u) << status;
  EXPECT_EQ(status["data"][0]["status"], "needs_input");
  EXPECT_EQ(content_of(w.worktree("app-1") / "half.txt"), "half\n");
  EXPECT_EQ(w.git(w.forge(), {"rev-parse", "main"}),
            w.git(w.checkout(), {"rev-parse", "main"}));
  EXPECT_EQ(w.ask({"task", "show", task})["state"], "claimed");
}

TEST(Thread, StartsATaskWhenTheOneItNeedsIsMerged) {
  world w;
  w.add_agent("patient", scripts::patient);
  w.start();
  auto first = w.add_task("First");
  auto second = w.add_task("Second", "", {"--needs", first});
  EXPECT_EQ(w.ask({"task", "show", second})["state"], "blocked");
  EXPECT_EQ(w.ask({"task", "show", second})["needs"], json({first}));
  auto waiting = w.ask({"spawn", second});
  EXPECT_EQ(waiting["runtime"]["state"], "queued");
  EXPECT_THAT(waiting["runtime"]["reason"].dump(), HasSubstr(first));
  ASSERT_EQ(w.ao({"spawn", first}).status.code, 0);
  w.touch("go");
  w.await("merged", "change:app#2");
  auto log = w.git(w.forge(), {"log", "--format=%s", "main"});
  EXPECT_EQ(log, "Second (app#2)\nFirst (app#1)\nFirst");
}

TEST(Thread, StartsWhateverWaitedForItsTurnToStart) {
  world_options one_by_one;
  one_by_one.settings = "limits: {parallelSpawns: 1, spawnsPerMinute: 0, "
                        "minFreeMemory: 1MiB, minFreeDisk: 1MiB}\n";
  world w{one_by_one};
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  std::vector<std::string> sessions;
  for (const auto* title : {"First", "Second", "Third", "Fourth"})
    sessions.push_back(
      w.ask({"spawn", "--no-wait", w.add_task(title)}).value("id", ""));
  for (const auto& session : sessions)
    w.await("agent_started", "session:" + session);
}

} // namespace
