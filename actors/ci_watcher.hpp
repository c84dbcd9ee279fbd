#pragma once

#include "actors/hub_context.hpp"
#include "actors/write_turns.hpp"
#include "messages/interfaces/forge.hpp"
#include "runtime/actor/look_alarm.hpp"
#include "runtime/actor/shared_context.hpp"
#include "runtime/rules/changes.hpp"

#include <functional>
#include <map>
#include <set>

namespace ao {

/// State of the CI WATCHER.
struct ci_watcher_state {
  static inline const char* name = "ci-watcher";
  shared_context<hub_context> context;

  /// The change as it is committed; its runs and reviews are read when the
  /// rule wants them.
  row_ptr<change> row;

  /// An input of the rule, with what to do once it is durable.
  struct call {
    change_input input;
    std::function<void()> done;
    /// Set for a request: its id, and who is told what the store says.
    request_id request = {};
    std::function<void(result<store_written>)> answer = {};
  };
  write_turns<call> turns;

  /// CI runs and reviewers that have been asked for, by key.
  std::set<std::string> asked;

  /// The MERGE QUEUE waits for the verdict on this commit.
  std::map<std::string, caf::typed_response_promise<msg::merge_verdict>>
    verdicts;
  bool enqueued = false;
  look_alarm alarm;
};

/// Follows one open change. Every input goes the same way:
///
///   head, result of a check, review, word of the MERGE QUEUE
///     --> rule --> COMMIT --> adopt --> effects (checks, reviewer, queue)
///   change merged or closed --> ends
///
/// At its start it reads its rows and repeats what may have been left undone.
/// What concerns reviews is in ci_watcher_review.
///
/// @param self The actor handle.
/// @param context The hub.
/// @param id The change.
ci_watcher_actor::behavior_type
ci_watcher(ci_watcher_actor::stateful_pointer<ci_watcher_state> self,
           shared_context<hub_context> context, change_id id);

} // namespace ao
