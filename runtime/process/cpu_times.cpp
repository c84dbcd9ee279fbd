#include "runtime/process/cpu_times.hpp"

#include "runtime/process/process_table.hpp"

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
  std::map<std::string, std::uint64_t, std::less<>> ticks;
  for (auto& [pid, one] : all)
    if (const auto& mark = mark_of(all, one);
        !mark.empty() && !one.entry->ended() && pid != getpid())
      ticks[mark] += one.entry->cpu_time;
  std::lock_guard<std::mutex> guard{mutex_};
  ticks_.swap(ticks);
  return {};
}

std::uint64_t cpu_times::of(std::string_view mark) const {
  std::lock_guard<std::mutex> guard{mutex_};
  auto i = ticks_.find(mark);
  return i == ticks_.end() ? 0 : i->second;
}

} // namespace ao
