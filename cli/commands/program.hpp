#pragma once

#include "messages/error.hpp"

#include <string>
#include <vector>

namespace ao::cli {

/// How a program ended and what it printed.
struct program_end {
  /// The exit code, or 128 + the signal.
  int status = 0;
  /// Standard output; empty when it was not captured.
  std::string text;
};

/// What becomes of a program's standard output.
enum class program_output {
  /// Returned.
  captured,
  /// Shown on our standard error, so that our own output stays clean.
  shown,
};

/// Runs a program of `PATH` to its end; its standard error is ours. Errors:
/// `program_missing`, `process_failed`.
result<program_end> run_program(const std::vector<std::string>& argv,
                                program_output output);

} // namespace ao::cli
