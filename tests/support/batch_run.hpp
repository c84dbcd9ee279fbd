#pragma once

#include "tests/support/world.hpp"

#include <string>
#include <vector>

namespace ao {

/// Adds `count` tasks, starts them with one `ao batch-spawn`, and waits until
/// the work of each is merged and its session cleaned up. Returns what went
/// wrong.
std::vector<std::string> run_batch(const world& w, std::size_t count);

/// What is left in the home of a hub whose sessions have all been cleaned up:
/// worktrees, branches, panes, claims.
std::vector<std::string> leftovers(const world& w);

} // namespace ao
