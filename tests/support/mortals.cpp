#include "tests/support/mortals.hpp"

#include "runtime/process/process_table.hpp"
#include "runtime/tmux/tmux.hpp"
#include "tests/support/agent_scripts.hpp"

#include <unistd.h>

#include <csignal>
#include <fstream>

namespace ao {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// The same for both agents: holds a lock while it or any child of it lives, so
/// that a second writer in its worktree is found out; leaves a child that hides
/// from its parent.
constexpr const char* begin = R"(
exec 9> "$HOME/$AO_SESSION.lock"
flock --nonblock 9 || echo "$AO_SESSION run $AO_RUN" >> "$HOME/two-writers"
setsid nohup sleep 600 > /dev/null 2>&1 &
echo "$AO_RUN ${AO_RESUME_REASON-none}" >> "$HOME/$AO_SESSION.runs"
)";

const std::string wait = scripts::waits_for("go");

/// What was done by an earlier run is kept.
constexpr const char* work = R"(
echo "by $AO_SESSION" > "$AO_SESSION.txt"
git add --all
git diff --cached --quiet || git commit --quiet --message "Work of $AO_SESSION"
)";

world_options forgiving() {
  world_options o;
  o.settings
    = "limits: {sessions: 4096, spawnsPerMinute: 0, "
      "minFreeMemory: 1MiB, minFreeDisk: 1MiB}\n"
      "restart: {intensity: 100, period: 5s, delay: 20ms, maxDelay: 50ms}\n";
  return o;
}

std::string read(const fs::path& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

const std::vector<std::string>& mortals::steps() {
  static const std::vector<std::string> all
    = {"worktree", "checkout", "launch", "pane", "agent"};
  return all;
}

mortals::mortals(int agents) : agents_(agents), w_(forgiving()) {
  // Works when told by `$HOME/go`, and at once.
  w_.add_agent("patient", std::string{begin} + wait + work);
  w_.add_agent("brief", std::string{begin} + work);
  w_.start();
}

std::string mortals::add_task(const std::string& title,
                              const std::string& agent) {
  auto task = w_.add_task(title, "", {"--agent", agent});
  acknowledged_[task] = title;
  return task;
}

void mortals::spawn_all() {
  for (int i = 1; i <= agents_; ++i) {
    auto task = add_task("Task " + std::to_string(i));
    expected_[task] = w_.ask({"spawn", task}).value("id", "");
  }
}

json mortals::runtime_of(const std::string& session) {
  return w_.ask({"session", "show", session})["runtime"];
}

std::string mortals::any_session() {
  return "app-"
    + std::to_string(1 + random_() % static_cast<unsigned>(agents_));
}

/// Kills the process that `member` of a random live session names.
void mortals::kill_one(const char* member) {
  for (;;) {
    auto runtime = runtime_of(any_session());
    if (runtime["state"] == "alive" && runtime[member].is_number()
        && ::kill(runtime[member].get<pid_t>(), SIGKILL) == 0)
      return;
  }
}

void mortals::kill_the_tmux_server() {
  auto session = any_session();
  json shown;
  do
    shown = w_.ask({"session", "show", session});
  while (shown["runtime"]["state"] != "alive");
  tmux_place place;
  place.socket = shown["tmux"]["socket"];
  tmux_server server{place};
  if (auto pid = server.server_pid())
    ::kill(*pid, SIGKILL);
}

void mortals::kill_the_hub() {
  w_.kill_hub();
  w_.start();
}

std::string mortals::kill_the_hub_at(const std::string& step) {
  auto task = add_task("Interrupted at " + step, "brief");
  auto after = w_.last_event();
  auto spawned = w_.ask({"spawn", task, "--no-wait"});
  auto session = spawned.value("id", "");
  expected_[task] = session;
  w_.await(
    [&](const json& e) {
      return e["kind"] == "session_step" && e["subject"] == "session:" + session
        && e["data"]["step"] == step;
    },
    after);
  kill_the_hub();
  w_.await(
    [&](const json& e) {
      return e["subject"] == "session:" + session
        && (e["kind"] == "agent_started" || e["kind"] == "session_adopted");
    },
    after);
  return session;
}

void mortals::kill_everything() {
  w_.kill_hub();
  for (auto pid : marked())
    ::kill(pid, SIGKILL);
  fs::remove_all(w_.home() / "run");
  w_.start();
}

void mortals::pass_a_moment() {
  std::uniform_int_distribution<int> length{0, 120};
  ::usleep(static_cast<useconds_t>(length(random_)) * 1000);
}

void mortals::grant_once_more() {
  if (wanderer_.empty()) {
    wanderer_ = add_task("Wanderer");
  } else {
    auto session = expected_[wanderer_];
    w_.ask({"session", "kill", session});
    w_.await("agent_exited", "session:" + session);
    w_.ask({"session", "cleanup"});
    w_.ask({"task", "retry", wanderer_});
  }
  expected_[wanderer_] = w_.ask({"spawn", wanderer_}).value("id", "");
}

/// Processes of this world that an agent has started.
std::vector<pid_t> mortals::marked() {
  std::vector<pid_t> out;
  auto tmpdir = w_.variables().get("TMPDIR");
  auto all = all_processes();
  if (!all)
    return out;
  for (const auto& p : *all)
    if (!p.ended() && environ_value(p.pid, "TMPDIR") == tmpdir
        && environ_value(p.pid, mark_variable))
      out.push_back(p.pid);
  return out;
}

void mortals::look_at_events(std::vector<std::string>& against) {
  std::set<std::pair<std::string, int>> started;
  std::map<std::string, std::uint64_t> epochs;
  std::uint64_t last = 0;
  for (const auto& e : w_.events()) {
    auto subject = e["subject"].get<std::string>();
    auto seq = e["seq"].get<std::uint64_t>();
    if (seq <= last)
      against.push_back("event " + std::to_string(seq) + " came twice");
    last = seq;
    if (e["kind"] == "agent_started") {
      auto run = e["data"]["run"].get<int>();
      if (!started.emplace(subject, run).second)
        against.push_back(subject + " started run " + std::to_string(run)
                          + " twice");
    } else if (e["kind"] == "task_claimed") {
      auto epoch = e["epoch"].get<std::uint64_t>();
      if (epoch <= epochs[subject])
        against.push_back(subject + " was granted epoch "
                          + std::to_string(epoch) + " after "
                          + std::to_string(epochs[subject]));
      epochs[subject] = epoch;
    }
  }
}

void mortals::look_at_rest(std::vector<std::string>& against) {
  if (auto file = w_.user() / "two-writers"; fs::exists(file))
    against.push_back("two writers: " + read(file));
  for (const auto& pane : w_.panes())
    against.push_back("pane left: " + pane);
  for (const auto& entry : fs::directory_iterator{w_.home() / "worktrees"})
    against.push_back("worktree left: " + entry.path().string());
  auto branches
    = w_.git(w_.home() / "repos/app.git",
             {"for-each-ref", "--format=%(refname)", "refs/heads/"});
  if (!branches.empty())
    against.push_back("branches left: " + branches);
  for (auto pid : marked())
    against.push_back("process left: " + std::to_string(pid));
  std::map<std::string, std::string> there;
  auto tasks = w_.ask({"task", "ls"});
  for (const auto& t : tasks["data"])
    there[t["id"]] = t["title"];
  for (const auto& [id, title] : acknowledged_)
    if (there[id] != title)
      against.push_back("acknowledged " + id + " is \"" + there[id]
                        + "\" and not \"" + title + "\"");
}

/// What happened to a task and its sessions, and where they are now.
std::string mortals::story_of(const std::string& task) {
  auto out = w_.ask({"task", "show", task}).dump();
  for (const auto& e : w_.events())
    if (e["data"].value("task", "") == task)
      out += "\n" + e.dump();
  return out + "\n" + w_.ask({"session", "show", expected_[task]}).dump();
}

std::vector<std::string> mortals::objections() {
  std::vector<std::string> against;
  w_.touch("go");
  for (const auto& [task, session] : expected_) {
    if (w_.await("task_closed", "task:" + task).is_null()) {
      against.push_back(task + " is stuck: " + story_of(task));
      continue;
    }
    auto state = w_.ask({"task", "show", task}).value("state", "");
    if (state != "merged")
      against.push_back(task + " is " + state);
    w_.await("session_cleaned", "session:" + session);
    auto work = w_.git(w_.forge(), {"show", "main:" + session + ".txt"});
    if (work != "by " + session)
      against.push_back("the work of " + session + " is \"" + work + "\"");
  }
  look_at_events(against);
  look_at_rest(against);
  return against;
}

std::string mortals::runs_of(const std::string& session) const {
  return read(w_.user() / (session + ".runs"));
}

} // namespace ao
