#include "cli/commands/hub_process.hpp"

#include "runtime/home/lock.hpp"
#include "runtime/home/readiness.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

extern char** environ;

namespace ao::cli {
namespace {

using clock = std::chrono::steady_clock;

/// The number of the readiness pipe in the hub.
constexpr int ready_fd = 3;

auto failed(const std::string& what, int why = errno) {
  return fail(ec::process_failed, what + ": " + std::strerror(why));
}

/// Waits for `fd`; false when the time is up.
bool wait_readable(int fd, clock::time_point until) {
  for (;;) {
    auto left = std::chrono::duration_cast<milliseconds>(until - clock::now());
    pollfd one{fd, POLLIN, 0};
    auto n = ::poll(&one, 1, static_cast<int>(std::max<long>(left.count(), 0)));
    if (n > 0)
      return true;
    if (n == 0 || errno != EINTR)
      return false;
  }
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (auto& word : words)
    out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> environment_of_hub(const home& where) {
  std::vector<std::string> out;
  for (auto** one = environ; *one; ++one)
    if (std::strncmp(*one, "AO_HOME=", 8) != 0)
      out.emplace_back(*one);
  out.push_back("AO_HOME=" + where.root());
  out.push_back(std::string{readiness_variable} + "="
                + std::to_string(ready_fd));
  return out;
}

} // namespace

directory_watch::directory_watch(const std::string& directory)
    : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (fd_ >= 0
      && ::inotify_add_watch(fd_, directory.c_str(),
                             IN_CREATE | IN_MOVED_TO | IN_DELETE)
        < 0) {
    ::close(fd_);
    fd_ = -1;
  }
}

directory_watch::~directory_watch() {
  if (fd_ >= 0)
    ::close(fd_);
}

void directory_watch::wait(milliseconds allowed) const {
  // Without inotify (its instances are limited) only time is left; poll()
  // ignores a negative descriptor.
  if (!wait_readable(fd_, clock::now() + allowed))
    return;
  char events[4096];
  while (::read(fd_, events, sizeof events) > 0) {
  }
}

result<started_hub> start_hub(const home& where, const std::string& program_dir,
                              const std::vector<std::string>& arguments) {
  auto program = program_dir + "/ao-hub";
  if (::access(program.c_str(), X_OK) != 0)
    return fail(ec::program_missing, program + ": " + std::strerror(errno));
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0)
    return failed("no pipe");
  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  auto variables = environment_of_hub(where);
  auto argv = pointers(words);
  auto envp = pointers(variables);
  auto log = where.hub_log();
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  // First the pipe: opening the log might take its number.
  ::posix_spawn_file_actions_adddup2(&actions, pipe[1], ready_fd);
  ::posix_spawn_file_actions_addopen(&actions, 1, log.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, ready_fd + 1);
  posix_spawnattr_t how;
  ::posix_spawnattr_init(&how);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&how, &none);
  ::posix_spawnattr_setsigdefault(&how, &all);
  ::posix_spawnattr_setflags(
    &how, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  started_hub out;
  auto bad = ::posix_spawn(&out.pid, program.c_str(), &actions, &how,
                           argv.data(), envp.data());
  ::posix_spawnattr_destroy(&how);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  if (bad != 0) {
    ::close(pipe[0]);
    return failed(program, bad);
  }
  out.ready = pipe[0];
  return out;
}

result<std::string> read_readiness(int fd, milliseconds allowed) {
  auto until = clock::now() + allowed;
  std::string text;
  char chunk[4096];
  while (text.find('\n') == std::string::npos) {
    if (!wait_readable(fd, until))
      return fail(ec::timed_out,
                  "the hub is not ready after " + format_duration(allowed));
    auto n = ::read(fd, chunk, sizeof chunk);
    if (n == 0)
      return std::string{};
    if (n > 0)
      text.append(chunk, static_cast<std::size_t>(n));
    else if (errno != EINTR)
      return failed("the readiness pipe");
  }
  return text.substr(0, text.find('\n'));
}

void await_end(const started_hub& hub, milliseconds allowed) {
  // No such process: it has ended, which is what is waited for.
  auto fd = static_cast<int>(::syscall(SYS_pidfd_open, hub.pid, 0));
  if (fd < 0)
    return;
  wait_readable(fd, clock::now() + allowed);
  ::close(fd);
}

std::string last_log_lines(const home& where) {
  constexpr off_t window = 4096;
  auto fd = ::open(where.hub_log().c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return "";
  auto size = ::lseek(fd, 0, SEEK_END);
  char bytes[window];
  auto n = ::pread(fd, bytes, sizeof bytes, std::max<off_t>(size - window, 0));
  ::close(fd);
  std::string text(bytes, static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  auto from = text.size();
  for (int lines = 0; lines < 10 && from != std::string::npos && from > 0;
       ++lines)
    from = text.rfind('\n', from - 1);
  // The front of the text is no end of a line.
  return from == std::string::npos || from == 0 ? text : text.substr(from + 1);
}

result<void> end_hub(const home& where, pid_t holder, bool signalled,
                     milliseconds allowed) {
  auto fd = static_cast<int>(::syscall(SYS_pidfd_open, holder, 0));
  if (fd < 0) {
    if (errno == ESRCH)
      return {};
    return failed("the hub's process " + std::to_string(holder));
  }
  // From here on the descriptor means that process for good; but is it still
  // the holder, or did the pid come back as somebody else?
  auto now = find_lock_holder(where);
  if (!now || !*now || (*now)->pid != holder) {
    ::close(fd);
    return now ? result<void>{} : fail(now.error());
  }
  if (!signalled
      && ::syscall(SYS_pidfd_send_signal, fd, SIGTERM, nullptr, 0) != 0
      && errno != ESRCH) {
    auto why = failed("ending the hub's process " + std::to_string(holder));
    ::close(fd);
    return why;
  }
  auto ended = wait_readable(fd, clock::now() + allowed);
  ::close(fd);
  if (!ended)
    return fail(ec::timed_out,
                "the hub with pid " + std::to_string(holder)
                  + " has not ended within " + format_duration(allowed));
  return {};
}

} // namespace ao::cli
