#include "cli/commands/raw_terminal.hpp"

#include <unistd.h>

#include <csignal>

namespace ao::cli {
namespace {

constexpr int defects[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};

/// For the handler of a signal, which has nothing else.
termios modes_before;

void put_back() {
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &modes_before);
}

void put_back_and_die(int signal) {
  ::tcsetattr(STDIN_FILENO, TCSANOW, &modes_before);
  ::raise(signal); // by its default: SA_RESETHAND
}

void handle_defects(void (*by)(int)) {
  struct sigaction how {};
  how.sa_handler = by;
  how.sa_flags = static_cast<int>(SA_RESETHAND);
  for (auto signal : defects)
    ::sigaction(signal, &how, nullptr);
}

} // namespace

raw_terminal::raw_terminal()
    : known_(::tcgetattr(STDIN_FILENO, &modes_before) == 0) {
  if (!known_)
    return;
  handle_defects(put_back_and_die);
  auto now = modes_before;
  ::cfmakeraw(&now);
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &now);
}

raw_terminal::~raw_terminal() {
  if (!known_)
    return;
  put_back();
  handle_defects(SIG_DFL);
}

} // namespace ao::cli
