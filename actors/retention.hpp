#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/store.hpp"

namespace ao {

/// State of the RETENTION.
struct retention_state {
  static inline const char* name = "retention";
  hub_context context;
};

/// Removes what `keep:` does not keep, at the hub's start and every hour:
///
///   look --> STORE: events and answers older than keep.events
///        --> SESSION: clean up those that ended before keep.sessions
///        --> a job: files of those that are cleaned up, oldest logs beyond
///            keep.logs
///
/// Everything is found anew at each look, so whatever fails or is cut short is
/// done an hour later. Work is never lost: a SESSION saves it first, and what
/// it has saved is in refs of the repository.
///
/// @param self The actor handle.
/// @param context The hub.
retention_actor::behavior_type
retention(retention_actor::stateful_pointer<retention_state> self,
          hub_context context);

} // namespace ao
