#include "cli/commands/secret_prompt.hpp"

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace ao::cli {
namespace {

constexpr char ctrl_c = 3;

/// A terminal that shows nothing; as it was before at the end.
class quiet_terminal {
public:
  quiet_terminal() : known_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!known_)
      return;
    auto now = before_;
    // Ctrl-C ends the line, not us: the modes must be put back.
    now.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    now.c_cc[VEOL] = ctrl_c;
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &now);
  }
  ~quiet_terminal() {
    if (known_)
      ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  quiet_terminal(const quiet_terminal&) = delete;
  quiet_terminal& operator=(const quiet_terminal&) = delete;

private:
  termios before_{};
  bool known_;
};

} // namespace

bool can_ask() {
  return ::isatty(STDIN_FILENO) != 0 && ::isatty(STDERR_FILENO) != 0;
}

result<std::string> ask_secret(const std::string& question) {
  // Before the question: what is typed at once must not be shown or lost.
  quiet_terminal quiet;
  std::fprintf(stderr, "%s", question.c_str());
  std::fflush(stderr);
  std::string line;
  char c = 0;
  for (;;) {
    auto n = ::read(STDIN_FILENO, &c, 1);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      c = ctrl_c;
    if (c == '\n' || c == ctrl_c)
      break;
    line += c;
  }
  std::fprintf(stderr, "\n");
  if (c == ctrl_c)
    return fail(ec::bad_input, "given up; nothing was changed");
  return line;
}

} // namespace ao::cli
