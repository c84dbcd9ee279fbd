#pragma once

#include "runtime/process/process_table.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// An agent program that somebody below a session has started by himself.
struct unsupervised_agent {
  process_entry process;
  /// `codex`, `claude`, …
  std::string program;
};

/// The known agent program that a command line runs, also by an interpreter
/// (`node /usr/bin/codex`); empty = none.
/// @param words The bytes of `/proc/<pid>/cmdline`.
std::string agent_program_of(std::string_view words);

/// One process of a run's tree, and what it runs.
struct watched_process {
  process_entry process;
  std::string program;
};

/// Those of the tree that are another agent: a known program that was started
/// neither as the run nor by the same program directly, as wrappers and helpers
/// are. Of one that starts more of itself, the first.
/// @param agent The run's own process.
std::vector<unsupervised_agent>
unsupervised_in(const std::vector<watched_process>& tree, pid_t agent);

/// The same of live processes; those that end meanwhile are left out. Blocking:
/// reads their command lines.
std::vector<unsupervised_agent>
find_unsupervised(const std::vector<process_entry>& tree, pid_t agent);

} // namespace ao
