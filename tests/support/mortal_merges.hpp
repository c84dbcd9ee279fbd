#pragma once

#include "tests/support/machine_faults.hpp"
#include "tests/support/world.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ao {

/// Changes that are green and wait for a person's word to be merged, on a
/// machine whose hub is killed at a chosen step of that. Before each merge the
/// person has moved the base, so that the merged result is checked anew.
class mortal_merges {
public:
  /// @param method `squash`, `merge` or `rebase`.
  explicit mortal_merges(const std::string& method);

  world& machine() { return w_; }

  /// Merges the next change undisturbed; how many steps the hub made, from the
  /// word to the end of the session.
  int count_steps();

  /// Merges the next change, killing the hub at its `step`-th step and
  /// starting it again. Returns where it was killed; empty = it was not, there
  /// are fewer steps.
  std::string merge_and_kill_at(int step);

  /// Stops the hub and says what is wrong then; empty = nothing: each change
  /// is merged once, and its row says where; no commit of the person is lost;
  /// the base is green at each commit; the repositories are sound; and no
  /// branch, lock, worktree, checkout or process is left over.
  std::vector<std::string> objections();

private:
  void prepare();
  void move_base();
  void approve(const std::string& change);
  /// Steps of the hub until the next change is merged; none when it was
  /// killed.
  std::optional<int> merge_next();
  void go_on_from(const std::string& session);
  bool hears_the_end_of(const std::string& session);
  void look_at_change(std::size_t i, std::vector<std::string>& against);
  void look_at_base(std::vector<std::string>& against);

  world w_;
  machine_faults faults_;
  pid_t hub_ = 0;
  /// In the order of their sessions, which is that of their merges.
  std::vector<std::string> changes_;
  std::size_t merged_ = 0;
  int moved_ = 0;
  std::vector<std::string> against_;
};

} // namespace ao
