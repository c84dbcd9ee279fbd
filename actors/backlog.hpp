#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/tasks.hpp"

#include <caf/typed_response_promise.hpp>

#include <cstddef>
#include <vector>

namespace ao {

/// State of the BACKLOG.
struct backlog_state {
  static inline const char* name = "backlog";
  hub_context context;

  /// Projects whose first reading is not over.
  std::size_t reading = 0;

  /// Who waits for that.
  std::vector<caf::typed_response_promise<child_list>> waiting;
};

/// Takes backlogs in. Keeps nothing: what was added is known by its key, so a
/// reading may be repeated at any time.
///
///   start  --> each project with a backlog --+
///   import --> the file, or the text sent ---+--> parse --> plan
///     --> REGISTRY, all or nothing --> answer
///     --wrong--> answer; at the start a line of the log and `backlog_refused`
///
/// @param self The actor handle.
/// @param context The hub.
backlog_actor::behavior_type
backlog_keeper(backlog_actor::stateful_pointer<backlog_state> self,
               hub_context context);

} // namespace ao
