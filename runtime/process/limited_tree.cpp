#include "runtime/process/limited_tree.hpp"

#include "runtime/io/fd.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

namespace ao {
namespace {

using version = cgroup_place::version;

/// Another shim that tidies up may take an empty group away; it is made again.
constexpr int most_tries = 5;

/// Control files take one value by one write.
result<void> put(const std::string& file, const std::string& value) {
  unique_fd fd{::open(file.c_str(), O_WRONLY | O_CLOEXEC)};
  if (!fd
      || ::write(fd.get(), value.data(), value.size())
        != static_cast<ssize_t>(value.size()))
    return fail(ec::process_failed, file + ": " + std::strerror(errno));
  return {};
}

const char* word_of(version how) {
  return how == version::v1 ? "cgroup v1" : "cgroup v2";
}

constexpr const char* no_controller
  = "this kernel has no such controller for us";

/// The count behind a word, in lines of `word count`.
std::uint64_t count_of(const std::string& file, const std::string& word) {
  std::ifstream in{file};
  std::string name;
  std::uint64_t count = 0;
  while (in >> name >> count)
    if (name == word)
      return count;
  return 0;
}

/// Groups of runs whose shim was killed. Only an empty group can be removed.
void tidy(const std::string& base) {
  constexpr std::string_view front = "ao-";
  std::error_code unreadable;
  for (const auto& entry :
       std::filesystem::directory_iterator{base, unreadable}) {
    auto name = entry.path().filename().string();
    if (name.compare(0, front.size(), front) == 0)
      ::rmdir(entry.path().c_str());
  }
}

} // namespace

limited_tree::limited_tree(tree_limits limits, std::string name,
                           cgroup_places places)
    : limits_(limits), name_(std::move(name)), places_(std::move(places)) {}

limited_tree::~limited_tree() {
  for (const auto& g : groups_)
    ::rmdir(g.directory.c_str());
}

limited_tree::group& limited_tree::group_at(const cgroup_place& place) {
  auto directory = place.base + "/" + name_;
  auto known
    = std::find_if(groups_.begin(), groups_.end(),
                   [&](const group& g) { return g.directory == directory; });
  if (known != groups_.end())
    return *known;
  tidy(place.base);
  groups_.push_back({place, std::move(directory), {}});
  return groups_.back();
}

result<void> limited_tree::set_up(const group& g) const {
  if (::mkdir(g.directory.c_str(), 0755) != 0 && errno != EEXIST)
    return fail(ec::process_failed, g.directory + ": " + std::strerror(errno));
  for (const auto& s : g.settings)
    if (auto ok = put(g.directory + "/" + s.file, s.value); !ok)
      return ok;
  return {};
}

/// Adds it if the kernel takes it.
result<void> limited_tree::add(group& to, setting what) const {
  to.settings.push_back(std::move(what));
  auto done = set_up(to);
  if (!done)
    to.settings.pop_back();
  return done;
}

result<void> limited_tree::enter(const group& g) const {
  auto self = std::to_string(::getpid());
  auto done = put(g.directory + "/cgroup.procs", self);
  for (int tries = 1; !done && tries < most_tries; ++tries)
    if (done = set_up(g); done)
      done = put(g.directory + "/cgroup.procs", self);
  return done;
}

void limited_tree::hold_memory() {
  auto bytes = std::to_string(*limits_.memory);
  std::string why = no_controller;
  if (places_.memory) {
    auto& g = group_at(*places_.memory);
    auto v1 = g.place.how == version::v1;
    auto done = add(g, {v1 ? "memory.limit_in_bytes" : "memory.max", bytes});
    if (done) {
      memory_ = g.directory;
      held_.push_back(std::string{"memory by "} + word_of(g.place.how));
      // Else the tree goes on into swap. Where no swap is counted, fine.
      (void)add(g,
                v1 ? setting{"memory.memsw.limit_in_bytes", bytes}
                   : setting{"memory.swap.max", "0"});
      return;
    }
    why = done.error().context;
  }
  by_rlimit_ = true;
  held_.push_back("memory of each process by RLIMIT_DATA (" + why + ")");
}

void limited_tree::hold_processes() {
  std::string why = no_controller;
  if (places_.processes) {
    auto& g = group_at(*places_.processes);
    auto done = add(g, {"pids.max", std::to_string(*limits_.processes)});
    if (done) {
      held_.push_back(std::string{"processes by "} + word_of(g.place.how));
      return;
    }
    why = done.error().context;
  }
  missing_.push_back("processes: " + why);
}

void limited_tree::prepare() {
  if (limits_.memory)
    hold_memory();
  if (limits_.processes)
    hold_processes();
}

result<pid_t> limited_tree::start(const std::function<result<pid_t>()>& start) {
  std::vector<std::string> homes;
  for (const auto& g : groups_)
    if (auto in = enter(g); in)
      homes.push_back(g.place.own + "/cgroup.procs");
    else
      missing_.push_back(in.error().context);
  auto child = start();
  result<void> back;
  for (const auto& home : homes)
    if (auto done = put(home, std::to_string(::getpid())); !done)
      back = done;
  if (!child)
    return child;
  if (by_rlimit_) {
    rlimit most{*limits_.memory, *limits_.memory};
    if (::prlimit(*child, RLIMIT_DATA, &most, nullptr) != 0)
      missing_.push_back(std::string{"memory: "} + std::strerror(errno));
  }
  if (!back)
    return fail(back.error());
  return child;
}

bool limited_tree::was_short_of_memory() const {
  return !memory_.empty()
    && (count_of(memory_ + "/memory.events", "oom_kill") > 0
        || count_of(memory_ + "/memory.oom_control", "oom_kill") > 0);
}

limit_offer try_limits(const tree_limits& limits) {
  limited_tree tree{limits, "ao-try-" + std::to_string(::getpid())};
  tree.prepare();
  return {tree.held(), tree.missing()};
}

} // namespace ao
