#pragma once

#include "runtime/io/fd.hpp"
#include "runtime/process/pty.hpp"

#include <termios.h>

#include <string>
#include <vector>

namespace ao {

/// A program on a terminal of its own, as a person uses it.
struct terminal_program {
  std::vector<std::string> argv;
  /// `NAME=value`, all that it gets.
  std::vector<std::string> env;
  std::string cwd;
};

/// What the person at it types: each time that `question` is shown, the next
/// of `answers`.
struct typed_answers {
  std::string question;
  std::vector<std::string> answers;
};

/// How it ended.
struct terminal_end {
  /// The exit status; -1 when it was ended by a signal.
  int code = -1;
  std::string screen;
};

/// The program as it runs. Its terminal outlives it, so that one sees how that
/// was left.
class terminal_talk {
public:
  explicit terminal_talk(const terminal_program& what, window_size size = {});

  /// Kills it, if it still runs.
  ~terminal_talk();
  terminal_talk(const terminal_talk&) = delete;
  terminal_talk& operator=(const terminal_talk&) = delete;

  /// Waits until this is shown, behind what was awaited before. False when the
  /// program has ended without. Fails the test when nothing is shown for as
  /// long as a world waits for anything.
  bool await(const std::string& text);

  void type(const std::string& keys) const;
  void resize(window_size size) const;

  /// Waits for its end.
  terminal_end end();

  /// Whether the modes of the terminal are those that it had at first.
  bool is_as_before() const;

  pid_t pid() const { return child_.pid; }

private:
  /// Takes in what comes next; false at the end of the program.
  bool read_more();

  unique_fd ours_;
  unique_fd theirs_;
  termios before_{};
  child child_;
  bool reaped_ = false;
  std::string screen_;
  std::size_t awaited_to_ = 0;
};

/// Runs the program to its end. Fails the test when nothing is shown for as
/// long as a world waits for anything.
terminal_end run_on_terminal(const terminal_program& what,
                             const typed_answers& person);

} // namespace ao
