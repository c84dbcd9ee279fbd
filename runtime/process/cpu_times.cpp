#include "runtime/process/cpu_times.hpp"

#include <unistd.h>

#include <unordered_map>

namespace ao {
namespace {

/// A process and whose it is.
struct marked_process {
  const process_entry* entry = nullptr;
  std::string mark;
  bool settled = false;
};

using process_map = std::unordered_map<pid_t, marked_process>;

/// The mark of a process: its own, else that of the one above it.
const std::string& mark_of(process_map& all, marked_process& one) {
  if (one.settled)
    return one.mark;
  one.settled = true; // first, as reused numbers might form a ring
  const auto& e = *one.entry;
  if (e.uid == getuid() && !e.ended())
    if (auto own = environ_value(e.pid, mark_variable))
      one.mark = *own;
  if (one.mark.empty())
    if (auto above = all.find(e.parent); above != all.end())
      one.mark = mark_of(all, above->second);
  return one.mark;
}

} // namespace

result<void> cpu_times::refresh() {
  auto entries = all_processes();
  if (!entries)
    return fail(entries.error());
  process_map all;
  for (const auto& e : *entries)
    all[e.pid].entry = &e;
  std::map<std::string, std::vector<process_entry>, std::less<>> runs;
  for (auto& [pid, one] : all)
    if (const auto& mark = mark_of(all, one);
        !mark.empty() && !one.entry->ended() && pid != getpid())
      runs[mark].push_back(*one.entry);
  std::lock_guard<std::mutex> guard{mutex_};
  runs_.swap(runs);
  return {};
}

std::uint64_t cpu_times::of(std::string_view mark) const {
  std::uint64_t out = 0;
  for (const auto& e : members(mark))
    out += e.cpu_time;
  return out;
}

std::vector<process_entry> cpu_times::members(std::string_view mark) const {
  std::lock_guard<std::mutex> guard{mutex_};
  auto i = runs_.find(mark);
  return i == runs_.end() ? std::vector<process_entry>{} : i->second;
}

} // namespace ao
