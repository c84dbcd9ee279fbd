#pragma once

#include "tests/support/world.hpp"

#include <cstddef>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace ao {

/// A backlog that agents work on and the hub merges while somebody kills it:
/// some changes are red with another, some are in each other's way, and their
/// agents leave the culprit out when they are told. Used by
/// `./dev soak merges`.
class merge_backlog {
public:
  merge_backlog();

  world& machine() { return w_; }
  std::size_t tasks() const { return tasks_.size(); }

  /// Spawns tasks until so many are not merged.
  void keep_busy(std::size_t count);

  /// The person takes the base over and commits to it.
  void move_base();

  /// Kills the hub and starts the next one.
  void kill_the_hub();

  /// Kills the checks of one run, with their shim, as soon as one runs; false
  /// when none does for a while.
  bool kill_some_checks();

  /// A moment that falls anywhere within a merge.
  void pass_a_moment();

  /// Waits for all tasks, stops the hub and says what is wrong then; empty =
  /// nothing: each is merged once, no commit of the person is lost, the base is
  /// green at each commit, the repositories are sound, nothing is left over.
  std::vector<std::string> objections();

private:
  bool kill_present_checks();
  void look_at_task(const std::string& task, std::vector<std::string>& against);

  std::minstd_rand random_{std::random_device{}()};
  std::vector<std::string> tasks_;
  std::vector<std::string> persons_;
  world w_;
};

} // namespace ao
