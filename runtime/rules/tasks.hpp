#pragma once

#include "messages/change.hpp"
#include "messages/session.hpp"
#include "messages/store.hpp"
#include "messages/task.hpp"
#include "runtime/rules/registry.hpp"
#include "runtime/rules/sessions.hpp"

#include <optional>
#include <utility>
#include <variant>

namespace ao {

/// What the TASK asks the REGISTRY for.
using task_wish = std::variant<std::monostate, move_task, release_claim>;

/// What follows for `t` from its holder's row and from its change's row (each
/// may be missing). Level-triggered: the same rows always wish the same, and
/// nothing once the task is where it should be. Rows of another epoch count
/// for nothing.
task_wish next_task(const task& t, const session* holder, const change* c);

/// What `s` is told when its task is `t`: to end with it, to stop because its
/// claim is gone, or nothing. Level-triggered like `next_task`.
std::optional<session_input> word_to_holder(const task& t, const session& s);

/// The TASK's view: the newest row of each that it was told, shared with
/// whoever reads it.
class task_view {
public:
  /// @param row Never null.
  explicit task_view(row_ptr<task> row) : task_(std::move(row)) {}

  /// Each returns false for a version that it has (or that is older), and for
  /// none.
  bool tell(row_ptr<task> row);
  bool tell(row_ptr<session> row);
  bool tell(row_ptr<change> row);

  /// What to ask for now; the same until the task's own row says it is done.
  task_wish wish() const;

  const task& row() const { return *task_; }

private:
  row_ptr<task> task_;
  row_ptr<session> session_;
  row_ptr<change> change_;
};

} // namespace ao
