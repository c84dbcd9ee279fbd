#include "runtime/process/process.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <iterator>

namespace ao {
namespace {

using clock = std::chrono::steady_clock;

/// Between TERM and KILL of a run that is over its deadline.
constexpr milliseconds term_grace{2000};

/// Milliseconds from now to `until`, rounded up, as poll wants them.
int poll_timeout(clock::time_point until) {
  auto left = std::chrono::ceil<milliseconds>(until - clock::now()).count();
  if (left <= 0)
    return 0;
  return left > 3'600'000 ? 3'600'000 : static_cast<int>(left);
}

/// Keeps the caller from dying when a child closes its stdin early; a pending
/// SIGPIPE of ours is taken back.
class sigpipe_blocked {
public:
  sigpipe_blocked() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~sigpipe_blocked() {
    timespec now{};
    while (sigtimedwait(&pipe_, nullptr, &now) < 0 && errno == EINTR) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  sigpipe_blocked(const sigpipe_blocked&) = delete;
  sigpipe_blocked& operator=(const sigpipe_blocked&) = delete;

private:
  sigset_t pipe_;
  sigset_t before_;
};

/// One captured stream.
struct capture {
  unique_fd fd;
  std::size_t cap;
  std::string* into;
  bool truncated = false;

  /// Reads at most `most` bytes; closes at the end of the stream.
  void read_some(std::size_t most) {
    char chunk[65536];
    auto n = read(fd.get(), chunk, std::min(most, sizeof chunk));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
      return;
    if (n <= 0)
      return fd.reset();
    auto got = static_cast<std::size_t>(n);
    auto room = cap - std::min(cap, into->size());
    into->append(chunk, std::min(room, got));
    truncated = truncated || got > room;
  }

  /// Reads what the ended process left in the pipe, and no more: somebody in
  /// the background may hold the other end and go on writing.
  void read_rest() {
    int waiting = 0;
    while (fd && ioctl(fd.get(), FIONREAD, &waiting) == 0 && waiting > 0) {
      auto left = static_cast<std::size_t>(waiting);
      while (fd && left > 0) {
        auto step = std::min<std::size_t>(left, 65536);
        read_some(step);
        left -= step;
      }
      break;
    }
    fd.reset();
  }
};

/// Readable once `end_all_runs` was called.
int end_of_runs() {
  static const unique_fd fd{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  return fd.get();
}

/// Feeds and drains one child until it has ended.
class conversation {
public:
  conversation(child& process, const process_spec& spec, finished& answer)
      : process_(process),
        input_(spec.in.text),
        out_{std::move(process.out), spec.out.cap, &answer.out},
        err_{std::move(process.err), spec.err.cap, &answer.err} {}

  enum class outcome { ended, late, unwanted };

  /// @param give_up Readable when nobody wants the child any more; -1 = none.
  outcome until_ended(clock::time_point until, int give_up = -1) {
    for (;;) {
      pollfd fds[] = {{process_.pidfd.get(), POLLIN, 0},
                      {process_.in.get(), POLLOUT, 0},
                      {out_.fd.get(), POLLIN, 0},
                      {err_.fd.get(), POLLIN, 0},
                      {give_up, POLLIN, 0}};
      int n = poll(fds, std::size(fds), poll_timeout(until));
      if (n > 0 && fds[0].revents != 0)
        return outcome::ended;
      if (n > 0 && fds[4].revents != 0)
        return outcome::unwanted;
      if (clock::now() >= until)
        return outcome::late;
      if (n <= 0)
        continue;
      if (fds[1].revents != 0)
        feed();
      if (fds[2].revents != 0)
        out_.read_some(65536);
      if (fds[3].revents != 0)
        err_.read_some(65536);
    }
  }

  /// Takes what is left in the pipes; true if a cap cut anything.
  bool finish() {
    process_.in.reset();
    out_.read_rest();
    err_.read_rest();
    return out_.truncated || err_.truncated;
  }

private:
  void feed() {
    auto left = std::string_view{input_}.substr(fed_);
    auto n
      = left.empty() ? 0 : write(process_.in.get(), left.data(), left.size());
    if (n > 0)
      fed_ += static_cast<std::size_t>(n);
    bool again = n < 0 && (errno == EAGAIN || errno == EINTR);
    if (fed_ == input_.size() || (n < 0 && !again))
      process_.in.reset();
  }

  child& process_;
  std::string_view input_;
  std::size_t fed_ = 0;
  capture out_;
  capture err_;
};

/// The last `most` bytes, on one line.
std::string tail_of(const std::string& text, std::size_t most) {
  auto tail = text.size() > most ? text.substr(text.size() - most) : text;
  while (!tail.empty() && tail.back() == '\n')
    tail.pop_back();
  for (auto& c : tail)
    if (c == '\n')
      c = ' ';
  return tail;
}

} // namespace

std::string signal_name(int signal) {
  if (const char* name = sigabbrev_np(signal))
    return std::string{"SIG"} + name;
  return "signal " + std::to_string(signal);
}

std::string to_string(const exit_status& status) {
  if (status.signal)
    return "killed by " + signal_name(*status.signal);
  return "exited " + std::to_string(status.code.value_or(-1));
}

result<finished> run(process_spec spec, milliseconds deadline) {
  auto until = clock::now() + deadline;
  if (spec.group == process_spec::grouping::same)
    spec.group = process_spec::grouping::own_group;
  auto made = spawn(spec);
  if (!made)
    return fail(made.error());
  sigpipe_blocked guard;
  if (made->in)
    if (auto ok = set_nonblocking(made->in.get()); !ok)
      return fail(ok.error());
  finished answer;
  conversation talk{*made, spec, answer};
  auto outcome = talk.until_ended(until, end_of_runs());
  if (outcome != conversation::outcome::ended) {
    kill(-made->pid, SIGTERM);
    // Stopped processes take their TERM only when they go on.
    kill(-made->pid, SIGCONT);
    talk.until_ended(clock::now() + term_grace);
    // Before it is reaped its group id cannot be anybody else's.
    kill(-made->pid, SIGKILL);
  }
  auto status = reap(made->pidfd.get());
  answer.truncated = talk.finish();
  if (!status)
    return fail(status.error());
  answer.status = *status;
  if (outcome == conversation::outcome::ended)
    return answer;
  if (outcome == conversation::outcome::unwanted)
    return fail(ec::shutting_down, spec.argv.front() + " was ended");
  auto context
    = spec.argv.front() + " took longer than " + format_duration(deadline);
  if (auto tail = tail_of(answer.err, 300); !tail.empty())
    context += ": " + tail;
  return fail(ec::timed_out, std::move(context));
}

void end_all_runs() {
  // Never read again: whoever begins to wait later sees it too.
  std::uint64_t one = 1;
  [[maybe_unused]] auto n = write(end_of_runs(), &one, sizeof one);
}

result<exit_status> reap(int pidfd) {
  siginfo_t info{};
  int rc;
  do
    rc = waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED);
  while (rc != 0 && errno == EINTR);
  if (rc != 0)
    return fail(ec::process_failed, errno_text("cannot reap a child"));
  exit_status status;
  if (info.si_code == CLD_EXITED)
    status.code = info.si_status;
  else
    status.signal = info.si_status;
  return status;
}

result<unique_fd> open_pidfd(pid_t pid) {
  unique_fd fd{static_cast<int>(syscall(SYS_pidfd_open, pid, 0))};
  if (!fd)
    return fail(ec::process_failed,
                errno_text("no process " + std::to_string(pid)));
  return fd;
}

result<void> send_signal(int pidfd, int signal) {
  if (syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0
      || errno == ESRCH)
    return {};
  return fail(ec::process_failed,
              errno_text("cannot send " + signal_name(signal)));
}

bool wait_ended(int pidfd, milliseconds deadline) {
  auto until = clock::now() + deadline;
  for (;;) {
    pollfd fd{pidfd, POLLIN, 0};
    if (poll(&fd, 1, poll_timeout(until)) > 0)
      return true;
    if (clock::now() >= until)
      return false;
  }
}

} // namespace ao
