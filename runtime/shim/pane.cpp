#include "runtime/shim/pane.hpp"

#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string_view>

namespace ao {
namespace {

constexpr milliseconds echo_deadline{1000};
constexpr milliseconds capture_deadline{2000};

std::string own_variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

} // namespace

shim_pane::shim_pane()
    : present_(isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &modes_) == 0) {}

std::uint64_t shim_pane::unread() const {
  int waiting = 0;
  if (!present_ || ioctl(STDIN_FILENO, FIONREAD, &waiting) != 0)
    return 0;
  return static_cast<std::uint64_t>(waiting);
}

void shim_pane::reclaim() {
  if (!present_)
    return;
  // SIGTTOU is blocked; a tty that hung up refuses, and nothing is lost.
  tcsetpgrp(STDIN_FILENO, getpgrp());
  tcsetattr(STDIN_FILENO, TCSANOW, &modes_);
}

result<std::string> shim_pane::capture(unsigned lines) {
  auto server = own_variable("TMUX");
  auto pane = own_variable("TMUX_PANE");
  if (!present_ || server.empty() || pane.empty())
    return std::string{};
  wait_until_shown();
  process_spec spec;
  spec.argv = {"tmux", "-S", server.substr(0, server.find(',')), "capture-pane",
               "-p",   "-S", "-" + std::to_string(lines),        "-t",
               pane};
  spec.env = environment::inherited().to_vector();
  auto done = run(std::move(spec), capture_deadline);
  if (!done)
    return fail(done.error());
  if (!done->ok())
    return fail(ec::tmux_failed, "capture-pane: " + done->err);
  return std::move(done->out);
}

/// The agent's last bytes may still be on their way to tmux. It reads them in
/// order: a status query behind them is answered when they are on the screen.
void shim_pane::wait_until_shown() {
  auto raw = modes_;
  cfmakeraw(&raw);
  // Discards what was typed but not read, too.
  if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) != 0)
    return;
  // CAN ends an escape sequence that the agent began and did not finish.
  static constexpr std::string_view query = "\x18\x1b[5n";
  static constexpr std::string_view answer = "\x1b[0n";
  std::string seen;
  auto until = std::chrono::steady_clock::now() + echo_deadline;
  bool asked = write(STDIN_FILENO, query.data(), query.size())
    == static_cast<ssize_t>(query.size());
  while (asked && seen.find(answer) == std::string::npos) {
    auto left = std::chrono::ceil<milliseconds>(
      until - std::chrono::steady_clock::now());
    pollfd fd{STDIN_FILENO, POLLIN, 0};
    if (left.count() <= 0 || poll(&fd, 1, static_cast<int>(left.count())) <= 0)
      break;
    char chunk[256];
    auto n = read(STDIN_FILENO, chunk, sizeof chunk);
    if (n <= 0)
      break;
    seen.append(chunk, static_cast<std::size_t>(n));
  }
  tcsetattr(STDIN_FILENO, TCSANOW, &modes_);
}

} // namespace ao
