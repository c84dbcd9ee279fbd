#include "tests/support/mortal_merges.hpp"

#include "runtime/process/process_table.hpp"
#include "tests/support/batch_run.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace ao {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr const char* agent = R"(
echo "by $AO_SESSION" > "$AO_SESSION.txt"
git add --all
git commit --quiet --message "Work of $AO_SESSION"
)";

/// A file of an agent says whose it is.
constexpr const char* ci = R"sh(
for file in app-*.txt; do
  test ! -e "$file" || test "$(cat "$file")" = "by ${file%.txt}" || exit 1
done
)sh";

world_options options(const std::string& method) {
  world_options o;
  o.project = ", ci: {command: [sh, ci.sh]}, merge: {requireReview: true, "
              "method: "
    + method + "}";
  return o;
}

/// The session of the change that was asked for as the `i`-th, from 0.
std::string session_of(std::size_t i) {
  return "app-" + std::to_string(i + 1);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    out.push_back(line);
  return out;
}

} // namespace

std::string unsound(const world& w, const fs::path& repository) {
  auto end = w.try_git(
    repository,
    {"fsck", "--full", "--strict", "--no-dangling", "--no-progress"});
  std::string found = end.ok() ? "" : "git fsck fails\n";
  for (const auto& line : lines_of(end.out + end.err))
    // The head of a bare repository may be a branch without a commit.
    if (line.rfind("notice: HEAD points to an unborn branch", 0) != 0)
      found += line + "\n";
  return found;
}

std::vector<std::string> red_commits(const world& w) {
  auto judge = w.root() / "judge";
  w.git(w.root(), {"clone", "--quiet", w.forge().string(), judge.string()});
  std::vector<std::string> red;
  for (const auto& sha : lines_of(w.git(
         judge, {"rev-list", "--reverse", "--first-parent", "origin/main"}))) {
    w.git(judge, {"checkout", "--quiet", "--force", "--detach", sha});
    process_spec spec;
    spec.argv = {"sh", "ci.sh"};
    spec.env = w.variables().to_vector();
    spec.cwd = judge.string();
    auto end = run(spec, world::patience);
    // Before there was one, everything was green.
    if (fs::exists(judge / "ci.sh") && (!end || !end->ok()))
      red.push_back(sha);
  }
  fs::remove_all(judge);
  return red;
}

std::vector<std::string> locks_in(const fs::path& repository) {
  std::vector<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator{repository}) {
    auto name = entry.path().filename().string();
    if (entry.path().extension() == ".lock" || name.rfind("tmp_", 0) == 0)
      out.push_back(entry.path().string());
  }
  return out;
}

mortal_merges::mortal_merges(const std::string& method)
    : w_(options(method)), faults_(w_.root() / "faults", w_.home()) {
  for (const auto& [name, value] : faults_.variables())
    w_.set_variable(name, value);
  std::ofstream{w_.checkout() / "ci.sh"} << ci;
  w_.git(w_.checkout(), {"add", "ci.sh"});
  w_.git(w_.checkout(), {"commit", "--quiet", "-m", "Checks"});
  w_.add_agent("agent", agent);
  hub_ = w_.start();
}

/// Has the next change ready, and some more.
void mortal_merges::prepare() {
  constexpr std::size_t at_once = 4;
  auto first = changes_.size();
  if (first > merged_)
    return;
  for (std::size_t i = 0; i < at_once; ++i)
    w_.ask({"spawn", w_.add_task("Task"), "--no-wait"});
  for (auto i = first; i < first + at_once; ++i) {
    auto opened = w_.await([&](const json& e) {
      return e["kind"] == "change_opened"
        && e["data"].value("session", "") == session_of(i);
    });
    changes_.push_back(opened["data"].value("change", ""));
    w_.await("ci_passed", "change:" + changes_.back());
  }
}

/// The person takes over what was merged and commits.
void mortal_merges::move_base() {
  auto name = "person-" + std::to_string(moved_++);
  w_.git(w_.checkout(),
         {"pull", "--quiet", "--ff-only", w_.forge().string(), "main"});
  std::ofstream{w_.checkout() / name} << name << "\n";
  w_.git(w_.checkout(), {"add", name});
  w_.git(w_.checkout(), {"commit", "--quiet", "-m", name});
}

/// Approves a change unless that is known; the hub may die meanwhile.
void mortal_merges::approve(const std::string& change) {
  auto shown = w_.ao({"pr", "show", change, "--json"});
  auto row = json::parse(shown.out, nullptr, false);
  if (shown.status.code == 0 && row.value("review", "") != "approved"
      && row.value("state", "") == "open")
    w_.ao({"review", "submit", change, "--approve"});
}

std::optional<int> mortal_merges::merge_next() {
  auto change = changes_.at(merged_);
  auto session = session_of(merged_++);
  auto hub = open_pidfd(hub_);
  if (!hub)
    throw std::runtime_error(to_string(hub.error()));
  auto restarted = false;
  auto restart = [&] {
    if (!wait_ended(hub->get(), world::patience))
      throw std::runtime_error("the hub lives and does not answer");
    hub_ = w_.start();
    restarted = true;
  };
  approve(change);
  while (!hears_the_end_of(session)) {
    if (restarted)
      throw std::runtime_error(change + " is not merged; killed "
                               + faults_.killed_at() + "; "
                               + w_.ask({"pr", "show", change}).dump());
    restart();
    approve(change);
  }
  auto steps = faults_.stop_counting();
  // In the last one everything may have been told already.
  if (!steps && !restarted)
    restart();
  return steps;
}

/// Whether the session's end is told, before this hub ends.
bool mortal_merges::hears_the_end_of(const std::string& session) {
  auto subject = "session:" + session;
  auto heard = w_.api().stream(
    "/api/v1/events?after=0",
    [&](const http::received_event& one) {
      auto e = json::parse(one.data, nullptr, false);
      return e.value("kind", "") == "session_cleaned"
          && e.value("subject", "") == subject
        ? http::api_client::next::stop
        : http::api_client::next::more;
    },
    world::patience);
  if (!heard && heard.error().code == ec::timed_out)
    throw std::runtime_error(session + " does not end; killed "
                             + faults_.killed_at());
  return heard.has_value();
}

int mortal_merges::count_steps() {
  prepare();
  move_base();
  faults_.count_steps();
  return merge_next().value_or(0);
}

std::string mortal_merges::merge_and_kill_at(int step) {
  prepare();
  move_base();
  faults_.kill_hub_at(step);
  if (merge_next())
    return {};
  std::vector<std::string> against;
  look_at_change(merged_ - 1, against);
  for (const auto& one : against)
    against_.push_back("killed " + faults_.killed_at() + ": " + one);
  return faults_.killed_at();
}

// -- what is left -------------------------------------------------------------

void mortal_merges::look_at_change(std::size_t i,
                                   std::vector<std::string>& against) {
  auto session = session_of(i);
  auto row = w_.ask({"pr", "show", changes_.at(i)});
  auto object = [&](const std::string& what) {
    against.push_back(row.value("id", "") + " " + what);
  };
  if (row.value("state", "") != "merged")
    object("is " + row.dump());
  auto commits = w_.git(
    w_.forge(),
    {"log", "--first-parent", "--format=%H", "main", "--", session + ".txt"});
  if (commits != row.value("mergedSha", ""))
    object("is merged by " + commits + " and not " + row.dump());
  auto work = w_.git(w_.forge(), {"show", "main:" + session + ".txt"});
  if (work != "by " + session)
    object("has become \"" + work + "\"");
  auto told = 0;
  for (const auto& e : w_.events("change:" + changes_.at(i)))
    told += e.value("kind", "") == "merged" ? 1 : 0;
  if (told != 1)
    object("was merged " + std::to_string(told) + " times");
}

void mortal_merges::look_at_base(std::vector<std::string>& against) {
  for (const auto& sha : red_commits(w_))
    against.push_back("red: " + sha);
  for (int i = 0; i < moved_; ++i) {
    auto name = "person-" + std::to_string(i);
    if (w_.git(w_.forge(),
               {"log", "--first-parent", "--format=%s", "main", "--", name})
        != name)
      against.push_back(name + " is lost");
  }
}

void mortal_merges::look_at_rest(std::vector<std::string>& against) {
  auto repositories
    = {w_.forge(), w_.home() / "repos/app.git", w_.checkout() / ".git"};
  for (const auto& repository : repositories) {
    if (auto found = unsound(w_, repository); !found.empty())
      against.push_back(repository.string() + ": " + found);
    for (const auto& file : locks_in(repository))
      against.push_back("left: " + file);
  }
  for (const auto& entry : fs::directory_iterator{w_.home() / "ci"})
    for (const auto& one : fs::directory_iterator{entry.path()})
      if (fs::exists(one.path() / "tree"))
        against.push_back("left: " + (one.path() / "tree").string());
  auto all = all_processes();
  for (const auto& p : all.value())
    if (!p.ended() && environ_value(p.pid, "HOME") == w_.user().string()
        && environ_value(p.pid, "AO_CHANGE"))
      against.push_back("a check is left: process " + std::to_string(p.pid));
}

std::vector<std::string> mortal_merges::objections() {
  while (merged_ < changes_.size()) {
    faults_.count_steps();
    merge_next();
  }
  auto against = against_;
  for (std::size_t i = 0; i < merged_; ++i)
    look_at_change(i, against);
  for (const auto& one : leftovers(w_))
    against.push_back(one);
  w_.ao({"stop"});
  look_at_base(against);
  look_at_rest(against);
  return against;
}

} // namespace ao
