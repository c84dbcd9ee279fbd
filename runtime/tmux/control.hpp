#pragma once

#include "messages/error.hpp"
#include "messages/time.hpp"
#include "runtime/process/process.hpp"

#include <string>
#include <vector>

namespace ao {

/// What tmux said to one command.
struct tmux_answer {
  bool ok = false;
  std::string text;
};

/// One `tmux -C` client: a fast channel for commands that we compose and whose
/// output we compose too. (A pane's text must not come this way: it could
/// forge the end of an answer.)
///
///   > list-panes -a
///   < %begin 1700000000 12 1
///   < app-1 %3 4711 0
///   < %end 1700000000 12 1      (or %error …)
class tmux_control {
public:
  tmux_control() = default;
  ~tmux_control() { close(); }
  tmux_control(tmux_control&&) = default;
  tmux_control& operator=(tmux_control&&) = delete;

  /// Starts the client and waits until the server has greeted it.
  /// Errors: `not_reachable`, `timed_out`, those of `spawn`.
  result<void> open(process_spec client, milliseconds deadline);

  /// Whether the connection stands; notices an end that came meanwhile.
  bool alive();

  /// Sends one line and waits for its answer. After any error the connection
  /// is closed. Errors: `timed_out`, `not_reachable` (lost on the way).
  result<tmux_answer> command(const std::string& line, milliseconds deadline);

  void close();

private:
  result<tmux_answer> read_answer(mono_time until, char wanted_flag);
  result<std::string> read_line(mono_time until);

  child client_;
  std::string buffer_;
};

/// The command as one line of the control protocol, each argument in single
/// quotes; empty if an argument cannot be written so (a quote, a control
/// character) or the line is over tmux's limit.
std::string control_line(const std::vector<std::string>& command);

} // namespace ao
