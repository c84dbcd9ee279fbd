#include "runtime/tmux/control.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

namespace ao {
namespace {

/// tmux refuses lines over 16 KB.
constexpr std::size_t longest_line = 8u << 10;

/// How long a client may take to go after its input has ended.
constexpr milliseconds farewell{1000};

/// `<time> <number> <flags>` of `%begin <time> <number> <flags>`; empty when
/// the line is not of that kind.
std::string key_of(const std::string& line, std::string_view kind) {
  if (line.compare(0, kind.size(), kind) != 0)
    return {};
  return line.substr(kind.size());
}

} // namespace

bool tmux_control::alive() {
  if (!client_.pidfd)
    return false;
  if (!wait_ended(client_.pidfd.get(), milliseconds{0}))
    return true;
  close();
  return false;
}

result<void> tmux_control::open(process_spec client) {
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
  // The answer to the client's own first command.
  owed_ = 1;
  return set_nonblocking(client_.in.get());
}

result<tmux_answer> tmux_control::command(const std::string& line,
                                          milliseconds deadline) {
  auto until = std::chrono::steady_clock::now() + deadline;
  auto exchange = [&]() -> result<tmux_answer> {
    for (; owed_ > 0; --owed_)
      if (auto late = read_answer(until); !late)
        return late;
    if (auto ok = send(line); !ok)
      return fail(ok.error());
    ++owed_;
    auto answer = read_answer(until);
    if (answer)
      --owed_;
    return answer;
  };
  auto answer = exchange();
  if (!answer && answer.error().code != ec::timed_out)
    close();
  return answer;
}

void tmux_control::close() {
  if (client_.pidfd) {
    client_.in.reset();
    // One of a frozen server stays behind and ends when that goes on.
    if (wait_ended(client_.pidfd.get(), farewell))
      (void)reap(client_.pidfd.get());
  }
  client_ = {};
  buffer_.clear();
  block_.clear();
  text_.clear();
  owed_ = 0;
}

/// One command is under way at a time and far below what a pipe holds, so this
/// writes all or finds that nobody is there. The latter is told by a signal,
/// too, which is taken back.
result<void> tmux_control::send(const std::string& line) {
  auto bytes = line + "\n";
  sigset_t pipe, before;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, &before);
  auto n = write(client_.in.get(), bytes.data(), bytes.size());
  timespec now{};
  if (n < 0 && errno == EPIPE)
    sigtimedwait(&pipe, nullptr, &now);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (n == static_cast<ssize_t>(bytes.size()))
    return {};
  return fail(ec::not_reachable, "the control connection is lost");
}

/// Goes on where the last call ran out of time.
result<tmux_answer> tmux_control::read_answer(mono_time until) {
  for (;;) {
    auto line = read_line(until);
    if (!line)
      return fail(line.error());
    if (block_.empty()) {
      // Between the blocks come notifications (%sessions-changed, …).
      block_ = key_of(*line, "%begin ");
      continue;
    }
    bool end = key_of(*line, "%end ") == block_;
    if (!end && key_of(*line, "%error ") != block_) {
      text_ += *line + "\n";
      continue;
    }
    block_.clear();
    return tmux_answer{end, std::exchange(text_, {})};
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
