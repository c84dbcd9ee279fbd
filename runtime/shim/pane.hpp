#pragma once

#include "messages/error.hpp"

#include <termios.h>

#include <cstdint>
#include <string>

namespace ao {

/// The tty that tmux gave the shim, lent to the agent for its life.
class shim_pane {
public:
  /// Remembers the tty's modes.
  shim_pane();

  /// Whether standard input is a tty at all.
  bool present() const { return present_; }

  /// Bytes that were typed and nobody has read; before `reclaim`, which may
  /// lose them.
  std::uint64_t unread() const;

  /// Takes the foreground back from the agent's group and restores the modes.
  void reclaim();

  /// The pane's last rows by `tmux capture-pane`, after tmux has shown
  /// everything the agent wrote. Empty outside of tmux. Blocks at most about
  /// three seconds. Errors: `tmux_failed`, `timed_out`, `program_missing`.
  result<std::string> capture(unsigned lines);

private:
  void wait_until_shown();

  bool present_ = false;
  termios modes_{};
};

} // namespace ao
