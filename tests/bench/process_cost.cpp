#include "tests/bench/process_cost.hpp"

#include "runtime/home/home.hpp"
#include "runtime/home/lock.hpp"
#include "runtime/process/process_table.hpp"

#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <thread>

namespace ao::bench {

double cpu_seconds(pid_t pid) {
  auto entry = process_of(pid);
  if (!entry)
    throw std::runtime_error("process " + std::to_string(pid) + " is gone");
  return static_cast<double>(entry->cpu_time)
    / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::uint64_t resident_bytes(pid_t pid) {
  std::ifstream in{"/proc/" + std::to_string(pid) + "/statm"};
  std::uint64_t whole = 0;
  std::uint64_t resident = 0;
  if (!(in >> whole >> resident))
    throw std::runtime_error("process " + std::to_string(pid) + " is gone");
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void await_rest(pid_t pid) {
  constexpr double next_to_nothing = 0.04;
  auto until = std::chrono::steady_clock::now() + world::patience;
  auto spent = cpu_seconds(pid);
  while (std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::seconds{1});
    auto now = cpu_seconds(pid);
    if (now - spent < next_to_nothing)
      return;
    spent = now;
  }
  throw std::runtime_error("process " + std::to_string(pid)
                           + " does not come to rest");
}

pid_t hub_pid(const world& w) {
  auto holder = find_lock_holder(locate_home(w.home().string()));
  if (!holder || !*holder)
    throw std::runtime_error("no hub runs");
  return (*holder)->pid;
}

} // namespace ao::bench
