#pragma once

#include <termios.h>

namespace ao::cli {

/// The user's terminal, raw: each key comes as it is typed, and what is written
/// is shown as it is. Puts its modes back at the end, also when the process is
/// ended by a defect of ours (`SIGABRT`, `SIGSEGV`, …); what other signals do
/// is the owner's business. One at a time. Does nothing where standard input is
/// no terminal.
class raw_terminal {
public:
  raw_terminal();
  ~raw_terminal();
  raw_terminal(const raw_terminal&) = delete;
  raw_terminal& operator=(const raw_terminal&) = delete;

private:
  bool known_;
};

} // namespace ao::cli
