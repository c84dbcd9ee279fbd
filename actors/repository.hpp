#pragma once

#include "actors/node_context.hpp"
#include "messages/interfaces/sessions.hpp"

#include <memory>

namespace ao {

/// State of the REPOSITORY.
struct repository_state {
  static inline const char* name = "repository";
  node_context context;
  project_id project;
  std::shared_ptr<repository_cache> cache;
};

/// Makes and removes the worktrees of one project on this node, one at a
/// time.
///
/// @param self The actor handle; detached, as git blocks.
/// @param context The node.
/// @param project Whose repository.
repository_actor::behavior_type
repository(repository_actor::stateful_pointer<repository_state> self,
           node_context context, project_id project);

} // namespace ao
