#pragma once

#include "cli/demo/play.hpp"

#include <map>
#include <string>
#include <vector>

namespace ao::cli::demo {

/// What the repository of the forge says at the end.
struct forge_facts {
  /// Commits on its main branch by the task in their trailer `Ao-Task`.
  std::map<std::string, std::vector<std::string>> merged;
  /// The sample's own tests pass on main.
  bool tests_pass = false;
  /// What the tests printed.
  std::string test_log;
};

/// Reads the forge: clones its main branch, runs the sample's tests there.
/// Errors: `git_failed`, `timed_out`, `process_failed`.
result<forge_facts> read_forge(const stage& where, const scenario& what);

/// The whole outcome. Everything in it was observed.
struct report {
  seen saw;
  forge_facts forge;
  milliseconds took{0};
  /// What went otherwise than it should; `ok` means that there is nothing.
  std::vector<std::string> problems;

  bool ok() const { return problems.empty(); }
};

/// Compares what was seen with what the scenario expects, and the events with
/// the forge; adds to the problems.
void judge(report& of, const scenario& what);

/// The object of `--json` (CONTRACT §2).
nlohmann::json as_json(const report& of);

/// For people, on standard output.
void print(output& out, const report& of);

} // namespace ao::cli::demo
