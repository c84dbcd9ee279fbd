#pragma once

#include "runtime/rules/registry.hpp"

namespace ao {

/// What the tasks of one `add_tasks` wait for while they are made.
struct registry_book::batch {
  /// Needs, and what a task is held for. Nothing from before the batch waits
  /// for one of it.
  std::unordered_map<std::string, std::vector<task_id>> waits_for;

  /// Whether `from` waits for `on`, by way of others too.
  bool waits(const task_id& from, const task_id& on) const;
};

} // namespace ao
