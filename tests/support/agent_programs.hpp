#pragma once

#include <filesystem>
#include <string>

namespace ao {

/// The real agent programs, installed from npm once for all tests:
/// `$AO_AGENT_PROGRAMS`, else `agents/` in the build's directory, where
/// `./dev deps agents` puts them.
struct agent_programs {
  /// Where `codex` and `claude` are.
  std::filesystem::path directory;
  /// Why a test without them is skipped.
  std::string missing;

  bool has(const std::string& program) const;
};

agent_programs find_agent_programs();

} // namespace ao
