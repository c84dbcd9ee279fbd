#pragma once

#include "messages/error.hpp"
#include "messages/settings.hpp"
#include "runtime/agents/adapter.hpp"
#include "runtime/process/environment.hpp"

#include <string>
#include <vector>

namespace ao {

/// Whether the agent could start now, asked in the environment of its launch.
/// Blocking, some tenths of a second.
/// @param env What the agent would be started with, but for its session's.
/// @param directory An existing one of its project.
agent_readiness probe_agent(const agent_settings& agent, const environment& env,
                            const std::string& directory);

/// The version that the program tells (`--version`), e.g. `0.171.0`; empty
/// when it tells none.
std::string version_of(const std::string& program, const environment& env,
                       const std::string& directory);

// -- for the adapters' probes -------------------------------------------------

/// A short question to a program.
struct program_answer {
  /// False when it could not be started or took too long; `words` say so.
  bool ended = false;
  int code = 0;
  std::string out;
  /// The last line it wrote, on any stream.
  std::string words;
};

program_answer ask_program(std::vector<std::string> argv,
                           const environment& env,
                           const std::string& directory);

/// Why a file of secrets cannot be used, with the line that repairs it; empty
/// when it can, or is not there: others may not read it, and it must be ours.
std::string why_not_usable(const std::string& file);

/// `/home/ann/.codex/auth.json, mode 0600, owner ann`, or that it is missing.
std::string about_file(const std::string& file);

} // namespace ao
