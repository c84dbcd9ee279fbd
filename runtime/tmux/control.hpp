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
///
/// The client is never killed: tmux 3.3a's server crashes (and with it end all
/// panes) when a control client dies while a command of it waits. So a command
/// that found no answer in time is owed one, and the next one waits for it.
class tmux_control {
public:
  tmux_control() = default;
  ~tmux_control() { close(); }
  tmux_control(tmux_control&&) = default;
  tmux_control& operator=(tmux_control&&) = delete;

  /// Whether a client runs; notices an end that came meanwhile.
  bool alive();

  /// Starts the client; the server greets it before the first answer.
  /// Errors: those of `spawn`.
  result<void> open(process_spec client);

  /// Sends one line and waits for its answer.
  /// Errors: `timed_out` (the connection stays, the answer is awaited by the
  /// next call, which sends nothing before); `not_reachable` (lost on the way;
  /// the connection is closed).
  result<tmux_answer> command(const std::string& line, milliseconds deadline);

  /// Hangs up by the end of the client's input and waits a second for it.
  void close();

private:
  result<void> send(const std::string& line);
  result<tmux_answer> read_answer(mono_time until);
  result<std::string> read_line(mono_time until);

  child client_;
  /// What was read and is no whole line yet.
  std::string buffer_;
  /// The block that is being read: what follows its `%begin`, and its text.
  std::string block_;
  std::string text_;
  /// Answers that did not come in time, the greeting among them.
  unsigned owed_ = 0;
};

/// The command as one line of the control protocol, each argument in single
/// quotes; empty if an argument cannot be written so (a quote, a control
/// character) or the line is over tmux's limit.
std::string control_line(const std::vector<std::string>& command);

} // namespace ao
