#include "tests/support/mortal_merges.hpp"

#include "runtime/process/process_table.hpp"
#include "tests/support/batch_run.hpp"
#include "tests/support/merge_rest.hpp"

#include <fstream>
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
  test ! -e "$file" || test "$(head -n 1 "$file")" = "by ${file%.txt}" || exit 1
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

} // namespace

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
  auto restarted = false;
  auto restart = [&] {
    go_on_from(session);
    hub_ = w_.start();
    hub = open_pidfd(hub_);
    restarted = true;
  };
  approve(change);
  while (!hears_the_end_of(session)) {
    // A living hub that starts its API anew ends the stream, too.
    if (!wait_ended(hub->get(), milliseconds{100}))
      continue;
    if (restarted)
      throw std::runtime_error("a hub that nobody has killed is dead");
    restart();
    approve(change);
  }
  auto steps = faults_.stop_counting();
  // In the last one everything may have been told already.
  if (!steps && !restarted) {
    if (!wait_ended(hub->get(), world::patience))
      throw std::runtime_error("the hub lives and does not answer");
    restart();
  }
  return steps;
}

/// While no hub lives, the person adds to what has landed before it died.
void mortal_merges::go_on_from(const std::string& session) {
  auto file = session + ".txt";
  if (!w_.try_git(w_.forge(), {"cat-file", "-e", "main:" + file}).ok())
    return;
  w_.git(w_.checkout(),
         {"pull", "--quiet", "--ff-only", w_.forge().string(), "main"});
  std::ofstream{w_.checkout() / file, std::ios::app} << "and the person\n";
  w_.git(w_.checkout(), {"commit", "--quiet", "-a", "-m", "More of " + file});
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
  auto commits = w_.git(w_.forge(),
                        {"log", "--first-parent", "--diff-filter=A",
                         "--format=%H", "main", "--", session + ".txt"});
  if (commits != row.value("mergedSha", ""))
    object("is merged by " + commits + " and not " + row.dump());
  auto work = w_.git(w_.forge(), {"show", "main:" + session + ".txt"});
  if (work.substr(0, work.find('\n')) != "by " + session)
    object("has become \"" + work + "\"");
  auto told = 0;
  for (const auto& e : w_.events("change:" + changes_.at(i)))
    told += e.value("kind", "") == "merged" ? 1 : 0;
  if (told != 1)
    object("was merged " + std::to_string(told) + " times");
}

void mortal_merges::look_at_base(std::vector<std::string>& against) {
  for (int i = 0; i < moved_; ++i) {
    auto name = "person-" + std::to_string(i);
    if (w_.git(w_.forge(),
               {"log", "--first-parent", "--format=%s", "main", "--", name})
        != name)
      against.push_back(name + " is lost");
  }
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
  for (const auto& one : rest_of_merges(w_))
    against.push_back(one);
  return against;
}

} // namespace ao
