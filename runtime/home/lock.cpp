#include "runtime/home/lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

namespace ao {
namespace {

auto unusable(const std::string& path, const char* what) {
  return fail(ec::home_unusable,
              path + ": cannot " + what + ": " + std::strerror(errno));
}

struct flock whole_file() {
  struct flock out {};
  out.l_type = F_WRLCK;
  out.l_whence = SEEK_SET;
  return out;
}

/// When a process started, in ticks since boot; 0 when there is no such
/// process. With the pid it names a process for good: pids come back.
unsigned long long start_of(pid_t pid) {
  auto path = "/proc/" + std::to_string(pid) + "/stat";
  auto* file = std::fopen(path.c_str(), "re");
  if (!file)
    return 0;
  char text[1024];
  auto n = std::fread(text, 1, sizeof text - 1, file);
  std::fclose(file);
  text[n] = '\0';
  // The name in parentheses may contain anything; fields go on after it.
  const auto* rest = std::strrchr(text, ')');
  unsigned long long ticks = 0;
  if (!rest
      || std::sscanf(rest + 1,
                     " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u "
                     "%*d %*d %*d %*d %*d %*d %llu",
                     &ticks)
        != 1)
    return 0;
  return ticks;
}

/// The pid in the lock's file when that very process still lives, else 0.
pid_t living_writer(int fd) {
  char text[64] = {};
  long pid = 0;
  unsigned long long ticks = 0;
  if (::pread(fd, text, sizeof text - 1, 0) <= 0
      || std::sscanf(text, "%ld %llu", &pid, &ticks) != 2)
    return 0;
  auto candidate = static_cast<pid_t>(pid);
  return ticks != 0 && start_of(candidate) == ticks ? candidate : 0;
}

/// Says who holds the lock on the open file, if anybody does.
std::optional<lock_holder> holder_of(int fd, bool& failed) {
  auto probe = whole_file();
  failed = ::fcntl(fd, F_OFD_GETLK, &probe) != 0;
  if (failed || probe.l_type == F_UNLCK)
    return std::nullopt;
  // A lock of the classic kind names its holder; ours writes its name. It
  // does so right after taking the lock, so an unnamed holder is either on
  // its way to that line or in another pid namespace.
  lock_holder out;
  out.pid = probe.l_pid > 0 ? probe.l_pid : living_writer(fd);
  return out;
}

} // namespace

home_lock::home_lock(home_lock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

home_lock& home_lock::operator=(home_lock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

home_lock::~home_lock() {
  // The file stays: removing it would let two hubs lock two files of the
  // same name.
  if (fd_ >= 0)
    ::close(fd_);
}

result<home_lock> home_lock::take(const home& where) {
  auto path = where.lock();
  home_lock out{
    ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (out.fd_ < 0)
    return unusable(path, "open");
  auto wanted = whole_file();
  if (::fcntl(out.fd_, F_OFD_SETLK, &wanted) != 0) {
    if (errno != EAGAIN && errno != EACCES)
      return unusable(path, "lock");
    bool failed = false;
    auto holder = holder_of(out.fd_, failed);
    auto pid = std::to_string(holder ? holder->pid : 0);
    error why{ec::hub_already_running,
              "a hub with pid " + pid + " runs on " + where.root()};
    why.details.emplace_back("pid", pid);
    return fail(std::move(why));
  }
  auto self = ::getpid();
  auto text
    = std::to_string(self) + " " + std::to_string(start_of(self)) + "\n";
  if (::ftruncate(out.fd_, 0) != 0
      || ::pwrite(out.fd_, text.data(), text.size(), 0)
        != static_cast<ssize_t>(text.size()))
    return unusable(path, "write");
  return out;
}

result<std::optional<lock_holder>> find_lock_holder(const home& where) {
  auto path = where.lock();
  auto fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      return std::optional<lock_holder>{};
    return unusable(path, "open");
  }
  bool failed = false;
  auto holder = holder_of(fd, failed);
  auto why = errno;
  ::close(fd);
  errno = why;
  if (failed)
    return unusable(path, "ask for the lock");
  return holder;
}

} // namespace ao
