#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/store.hpp"
#include "runtime/store/store.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace ao {

/// State of the STORE.
struct store_state {
  static inline const char* name = "store";

  hub_context context;

  /// The one connection; closed with the actor.
  std::optional<store> db;

  /// Writes that wait for the next commit, with those who asked.
  std::vector<store_write> waiting;
  std::vector<caf::typed_response_promise<store_written>> askers;
};

/// Commits writes in groups and publishes what is committed in the row view.
///
///   write --first of a group--> flush to itself, behind all that has arrived
///   flush --> one COMMIT --> row view --> answers
///                  +--failed--> answers the error to all
///                  +--broken--> quits; reopens from what is durable
///
/// @param self The actor handle; detached, as it blocks.
/// @param context Home, row view, log.
store_actor::behavior_type
store_keeper(store_actor::stateful_pointer<store_state> self,
             hub_context context);

} // namespace ao
