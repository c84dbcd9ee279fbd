#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/tasks.hpp"
#include "runtime/actor/shared_context.hpp"
#include "runtime/rules/tasks.hpp"

#include <optional>

namespace ao {

/// State of the TASK.
struct task_actor_state {
  static inline const char* name = "task";
  shared_context<hub_context> context;
  std::optional<task_view> view;

  /// A wish is at the REGISTRY.
  bool asking = false;
};

/// One unfinished task: what its session and its change have become decides
/// what it asks the REGISTRY for.
///
///   session row, change row --rule--> wish --> REGISTRY --> own new row
///   own row closed --> ends
///
/// Level-triggered: it reads all three rows at its start, and news that it
/// has are ignored by version.
///
/// @param self The actor handle.
/// @param context The hub.
/// @param id The task.
task_actor::behavior_type
task_keeper(task_actor::stateful_pointer<task_actor_state> self,
            shared_context<hub_context> context, task_id id);

} // namespace ao
