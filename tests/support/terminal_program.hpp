#pragma once

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

/// Runs the program to its end. Fails the test when nothing is shown for as
/// long as a world waits for anything.
terminal_end run_on_terminal(const terminal_program& what,
                             const typed_answers& person);

} // namespace ao
