#include "tests/support/merge_backlog.hpp"

#include "runtime/process/process_table.hpp"
#include "tests/support/batch_run.hpp"
#include "tests/support/merge_model.hpp"
#include "tests/support/merge_rest.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>

namespace ao {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// The first run does what may be in another's way, later ones do not.
constexpr const char* agent = R"sh(
number=${AO_SESSION#app-}
if [ "$AO_RUN" = 1 ]; then
  pair="pair-$((number / 10))"
  case $((number % 10)) in
    0) echo "$number" > "$pair.a" ;;
    1) echo "$number" > "$pair.b" ;;
    2 | 3 | 4) echo "$number" > contested ;;
  esac
else
  until git fetch --quiet --no-write-fetch-head origin main; do :; done
  git reset --quiet --hard origin/main
fi
echo "by $AO_SESSION" > "$AO_SESSION.txt"
git add --all
git diff --cached --quiet || git commit --quiet -m "Work of $AO_SESSION"
)sh";

world_options options() {
  world_options o;
  o.settings = "limits: {sessions: 4096, spawnsPerMinute: 0, "
               "minFreeMemory: 1MiB, minFreeDisk: 1MiB}\n"
               "restart: {intensity: 100, period: 5s, delay: 20ms, "
               "maxDelay: 50ms}\n";
  o.project = ", ci: {command: [sh, -c, \"sleep 0.1; exec sh ci.sh\"]}";
  return o;
}

} // namespace

merge_backlog::merge_backlog() : w_(options()) {
  std::ofstream{w_.checkout() / "ci.sh"} << model_checks;
  std::ofstream{w_.checkout() / "contested"} << "nobody's\n";
  w_.git(w_.checkout(), {"add", "--all"});
  w_.git(w_.checkout(), {"commit", "--quiet", "-m", "Checks"});
  w_.add_agent("agent", agent);
  w_.start();
}

void merge_backlog::keep_busy(std::size_t count) {
  auto all = w_.ask({"task", "ls"});
  auto open = static_cast<std::size_t>(
    std::count_if(all["data"].begin(), all["data"].end(), [](const json& t) {
      return t.value("state", "") != "merged";
    }));
  for (; open < count; ++open) {
    tasks_.push_back(w_.add_task("Task " + std::to_string(tasks_.size())));
    w_.ask({"spawn", tasks_.back(), "--no-wait"});
  }
}

void merge_backlog::move_base() {
  auto name = "person-" + std::to_string(persons_.size());
  // What was merged since its last commit comes first, also without a hub.
  w_.git(w_.checkout(),
         {"pull", "--quiet", "--no-rebase", "--no-edit", w_.forge().string(),
          "main"});
  std::ofstream{w_.checkout() / name} << name << "\n";
  w_.git(w_.checkout(), {"add", name});
  w_.git(w_.checkout(), {"commit", "--quiet", "-m", name});
  persons_.push_back(w_.git(w_.checkout(), {"rev-parse", "main"}));
}

void merge_backlog::kill_the_hub() {
  w_.kill_hub();
  w_.start();
}

bool merge_backlog::kill_some_checks() {
  constexpr int looks = 500;
  for (int i = 0; i < looks; ++i) {
    if (kill_present_checks())
      return true;
    ::usleep(2'000);
  }
  return false;
}

bool merge_backlog::kill_present_checks() {
  auto all = all_processes();
  std::string chosen;
  // The oldest of a run is its shim: it has no last word about the others.
  std::sort(all->begin(), all->end(), [](const auto& a, const auto& b) {
    return a.start_time != b.start_time ? a.start_time < b.start_time
                                        : a.pid < b.pid;
  });
  for (const auto& p : *all) {
    auto fd = open_pidfd(p.pid);
    if (!fd || p.ended() || environ_value(p.pid, "HOME") != w_.user().string())
      continue;
    auto sha = environ_value(p.pid, "AO_SHA");
    if (!sha || (!chosen.empty() && *sha != chosen))
      continue;
    chosen = *sha;
    (void)send_signal(fd->get(), SIGKILL);
  }
  return !chosen.empty();
}

void merge_backlog::pass_a_moment() {
  std::uniform_int_distribution<int> length{0, 1500};
  ::usleep(static_cast<useconds_t>(length(random_)) * 1000);
}

void merge_backlog::look_at_task(const std::string& task,
                                 std::vector<std::string>& against) {
  if (w_.await("task_closed", "task:" + task).is_null()) {
    against.push_back(task
                      + " is stuck: " + w_.ask({"task", "show", task}).dump());
    return;
  }
  auto shown = w_.ask({"task", "show", task});
  auto session = shown.value("session", "");
  w_.await("session_cleaned", "session:" + session);
  if (shown.value("state", "") != "merged")
    against.push_back(task + " is " + shown.dump());
  auto row = w_.ask({"pr", "show", shown.value("change", "")});
  auto commits = w_.git(w_.forge(),
                        {"log", "--no-merges", "--diff-filter=A", "--format=%H",
                         "main", "--", session + ".txt"});
  if (commits != row.value("mergedSha", ""))
    against.push_back(task + " is merged by " + commits + " and not "
                      + row.dump());
}

std::vector<std::string> merge_backlog::objections() {
  std::vector<std::string> against;
  for (const auto& task : tasks_)
    look_at_task(task, against);
  // The forge takes the person's last commits over with the next merge.
  move_base();
  keep_busy(1);
  look_at_task(tasks_.back(), against);
  std::map<std::string, int> merged;
  for (const auto& e : w_.events())
    if (e["kind"] == "merged" && ++merged[e["subject"]] > 1)
      against.push_back(e["subject"].get<std::string>() + " is merged twice");
  for (const auto& one : leftovers(w_))
    against.push_back(one);
  w_.ao({"stop"});
  auto history = w_.git(w_.forge(), {"rev-list", "main"});
  for (const auto& sha : persons_)
    if (history.find(sha) == std::string::npos)
      against.push_back("a commit of the person is lost: " + sha);
  for (const auto& one : rest_of_merges(w_))
    against.push_back(one);
  return against;
}

} // namespace ao
