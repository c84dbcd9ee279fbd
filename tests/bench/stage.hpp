#pragma once

#include "tests/support/world.hpp"

#include <filesystem>
#include <string>

namespace ao::bench {

/// A world whose agents write the time of their first instruction to
/// `$HOME/<session>.<run>` and then wait.
class stage {
public:
  /// @param project Further members of project `app`, as `, key: value`.
  /// @param settings Further top-level lines of `ao.yaml`.
  /// @param script What the agents do after the stamp; they wait when empty.
  explicit stage(const std::string& project = {},
                 const std::string& settings = {},
                 const std::string& script = {});

  world& in() { return world_; }

  /// Asks for a session as a program would, and returns its id.
  std::string request(const std::string& task) const;

  /// The program that every agent is.
  std::filesystem::path agent() const;

  /// Seconds of the wall clock at which this run of a session began; waits for
  /// it. Throws when it never does.
  double began(const std::string& session, int run = 1) const;

  /// One round of the raw cost: worktree and terminal by hand, until the
  /// agent's first instruction; milliseconds. Names must differ.
  double raw_spawn(const std::string& name);

  /// The same without the worktree: a terminal in the checkout.
  double raw_start(const std::string& name);

  /// The seconds in a file, which is waited for. Throws when it never comes.
  double stamp(const std::filesystem::path& file) const;

private:
  void raw_run(const std::string& name, const std::string& tree);

  world world_;
};

/// Lines of a script that write the time of its start to
/// `$HOME/<session>.<run>`.
extern const char* const stamp_lines;

/// Seconds of the wall clock.
double wall_seconds();

} // namespace ao::bench
