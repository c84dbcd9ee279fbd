#pragma once

#include "tests/support/world.hpp"

#include <filesystem>
#include <string>

namespace ao::bench {

/// A world whose agents write the time of their first instruction to
/// `$HOME/<session>.<run>` and then wait.
class stage {
public:
  stage();

  world& in() { return world_; }

  /// The program that every agent is.
  std::filesystem::path agent() const;

  /// Seconds of the wall clock at which this run of a session began; waits for
  /// it. Throws when it never does.
  double began(const std::string& session, int run = 1) const;

  /// One round of the raw cost: worktree and terminal by hand, until the
  /// agent's first instruction; milliseconds. Names must differ.
  double raw_spawn(const std::string& name);

private:
  double stamp(const std::filesystem::path& file) const;

  world world_;
};

/// Seconds of the wall clock.
double wall_seconds();

} // namespace ao::bench
