#include "runtime/shim/lease_watch.hpp"

#include "runtime/cluster/lease_file.hpp"
#include "runtime/home/lock.hpp"
#include "runtime/process/process.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>

namespace ao {
namespace {

/// Between two looks at a lease that is over, or that is not there: the node
/// has said that it leaves, and may come back.
constexpr milliseconds look_again{1'000};

} // namespace

result<lease_watch> lease_watch::of(const std::string& node_home,
                                    const std::string& project) {
  lease_watch out;
  if (node_home.empty())
    return out;
  out.node_ = locate_home(node_home);
  out.project_ = project;
  out.timer_.reset(
    ::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!out.timer_)
    return fail(ec::process_failed, errno_text("cannot make a timer"));
  out.wake_at(lease_clock());
  return out;
}

void lease_watch::wake_at(mono_time when) {
  auto since_boot = when.time_since_epoch();
  auto s = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
  itimerspec next{};
  next.it_value.tv_sec = s.count();
  next.it_value.tv_nsec = (since_boot - s).count();
  // All zero would stop it.
  next.it_value.tv_nsec += next.it_value.tv_nsec == 0 ? 1 : 0;
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &next, nullptr);
}

bool lease_watch::is_over() {
  std::uint64_t expirations = 0;
  if (::read(timer_.get(), &expirations, sizeof expirations) < 0
      && errno != EAGAIN)
    return false;
  auto now = lease_clock();
  auto lease = read_lease(*node_);
  auto limit = lease ? lease->stop_after.find(project_)
                     : std::map<std::string, milliseconds>::iterator{};
  if (!lease || limit == lease->stop_after.end()) {
    wake_at(now + look_again);
    return false;
  }
  if (auto due = lease->renewed + limit->second; due > now) {
    wake_at(due);
    return false;
  }
  wake_at(now + look_again);
  auto holder = find_lock_holder(*node_);
  return holder && !*holder;
}

} // namespace ao
