#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/forge.hpp"

#include <deque>

namespace ao {

/// State of the MERGE QUEUE.
struct merge_queue_state {
  static inline const char* name = "merge-queue";
  hub_context context;
  project_id project;

  struct item {
    change_id change;
    std::string head_sha;
    std::vector<caf::typed_response_promise<msg::merge_outcome>> askers;
  };

  /// The front one is being worked on while `busy`.
  std::deque<item> items;
  bool busy = false;
};

/// Merges into one branch, first come first served:
///
///   begin --> compute on the present base --> same files as tested? --> land
///                  |                              no: check them first
///                  +--conflict--> told                   +--red--> told
///   land --base moved--> compute again
///
/// It holds nothing durable: who waits asks again after a restart, and a
/// merge that had landed is found on the base.
///
/// @param self The actor handle.
/// @param context The hub.
/// @param project Whose base branch.
merge_queue_actor::behavior_type
merge_queue(merge_queue_actor::stateful_pointer<merge_queue_state> self,
            hub_context context, project_id project);

} // namespace ao
