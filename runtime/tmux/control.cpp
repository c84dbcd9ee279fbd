#include "runtime/tmux/control.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <sstream>

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace ao {
namespace {

/// tmux refuses lines over 16 KB.
constexpr std::size_t longest_line = 8u << 10;

/// `%begin <time> <number> <flags>`: the part that its end repeats.
struct marker {
  std::string kind;
  std::string key;
  char flag = '0';
};

marker marker_of(const std::string& line) {
  marker m;
  std::istringstream in{line};
  std::string time, number, flags;
  in >> m.kind >> time >> number >> flags;
  m.key = time + " " + number + " " + flags;
  m.flag = flags.empty() ? '0' : flags.front();
  return m;
}

} // namespace

result<void> tmux_control::open(process_spec client, milliseconds deadline) {
  close();
  auto input = make_pipe();
  if (!input)
    return fail(input.error());
  client.in = child_input::of(input->read.get());
  client.out = child_output::capture();
  client.err = child_output::null();
  auto made = spawn(client);
  if (!made)
    return fail(made.error());
  client_ = std::move(*made);
  client_.in = std::move(input->write);
  if (auto ok = set_nonblocking(client_.in.get()); !ok)
    return ok;
  // The answer to the client's own first command.
  auto greeting
    = read_answer(std::chrono::steady_clock::now() + deadline, '0');
  if (!greeting) {
    close();
    return fail(greeting.error());
  }
  if (!greeting->ok) {
    close();
    return fail(ec::tmux_failed, "control connection: " + greeting->text);
  }
  return {};
}

bool tmux_control::alive() {
  if (!client_.out)
    return false;
  pollfd fds[] = {{client_.out.get(), POLLIN, 0},
                  {client_.pidfd.get(), POLLIN, 0}};
  poll(fds, 2, 0);
  int waiting = 0;
  ioctl(client_.out.get(), FIONREAD, &waiting);
  bool ended = fds[1].revents != 0
               || (fds[0].revents != 0 && waiting == 0);
  if (ended)
    close();
  return !ended;
}

result<tmux_answer> tmux_control::command(const std::string& line,
                                          milliseconds deadline) {
  auto bytes = line + "\n";
  // Our lines are far below a pipe's 64 kB, and one is under way at a time: a
  // pipe that is full means that nobody has read for long. The pipe's other
  // end may be gone, which only a signal would tell.
  sigset_t pipe, before;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, &before);
  auto n = write(client_.in.get(), bytes.data(), bytes.size());
  int why = errno;
  timespec now{};
  if (n < 0 && why == EPIPE)
    sigtimedwait(&pipe, nullptr, &now);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (n != static_cast<ssize_t>(bytes.size())) {
    close();
    return fail(n < 0 && why == EAGAIN ? ec::timed_out : ec::not_reachable,
                "the control connection takes no command");
  }
  auto answer
    = read_answer(std::chrono::steady_clock::now() + deadline, '1');
  if (!answer)
    close();
  return answer;
}

void tmux_control::close() {
  if (!client_.pidfd)
    return;
  // Its stdin's end would do, but not if it hangs. The server notices.
  if (auto ok = send_signal(client_.pidfd.get(), SIGKILL); ok)
    (void)reap(client_.pidfd.get());
  client_ = {};
  buffer_.clear();
}

result<tmux_answer> tmux_control::read_answer(mono_time until,
                                              char wanted_flag) {
  for (;;) {
    auto first = read_line(until);
    if (!first)
      return fail(first.error());
    auto begin = marker_of(*first);
    // Notifications (%sessions-changed, …) come between answers.
    if (begin.kind != "%begin")
      continue;
    tmux_answer answer;
    for (;;) {
      auto line = read_line(until);
      if (!line)
        return fail(line.error());
      if (line->compare(0, 4, "%end") == 0
          || line->compare(0, 6, "%error") == 0) {
        auto end = marker_of(*line);
        if (end.key == begin.key) {
          answer.ok = end.kind == "%end";
          break;
        }
      }
      answer.text += *line + "\n";
    }
    if (begin.flag == wanted_flag)
      return answer;
  }
}

result<std::string> tmux_control::read_line(mono_time until) {
  for (;;) {
    if (auto end = buffer_.find('\n'); end != std::string::npos) {
      auto line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    auto left = std::chrono::ceil<milliseconds>(
      until - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      return fail(ec::timed_out, "no answer in time");
    pollfd fd{client_.out.get(), POLLIN, 0};
    if (poll(&fd, 1, static_cast<int>(left.count())) <= 0)
      continue;
    char chunk[16384];
    auto n = read(client_.out.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return fail(ec::not_reachable, "the control connection is lost");
    buffer_.append(chunk, static_cast<std::size_t>(n));
  }
}

std::string control_line(const std::vector<std::string>& command) {
  std::string line;
  for (const auto& argument : command) {
    for (unsigned char c : argument)
      if (c < 0x20 || c == 0x7f || c == '\'')
        return {};
    line += (line.empty() ? "'" : " '") + argument + "'";
  }
  return line.size() > longest_line ? std::string{} : line;
}

} // namespace ao
