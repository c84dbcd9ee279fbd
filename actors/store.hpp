#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/store.hpp"
#include "runtime/store/store.hpp"

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

namespace ao {

/// State of the STORE.
struct store_state {
  static inline const char* name = "store";

  hub_context context;

  /// The one connection; closed with the actor. Absent while a failing disk
  /// does not let it be opened again.
  std::optional<store> db;

  /// Writes that wait for the next commit, with those who asked.
  std::vector<store_write> waiting;
  std::vector<caf::typed_response_promise<store_written>> askers;

  /// Those who wait for the end of a failure.
  std::vector<caf::typed_response_promise<std::uint64_t>> stalled;

  /// Until the disk is tried again; grows while it fails.
  std::chrono::milliseconds probe_pause{0};
  /// When the last failure ended.
  std::optional<mono_time> recovered_at;
};

/// Commits writes in groups and publishes what is committed in the row view.
///
///   write --first of a group--> flush to itself, behind all that has arrived
///   flush --> one COMMIT --> row view --> answers
///                  +--failed--> answers the error to all
///                  +--disk full, read-only, failing--> degraded
///   degraded: refuses writes with that error, still reads
///            --probe after a pause: a file can be written, the database can
///              be opened again and holds what the row view shows, two events
///              are committed--> writes again, tells those who wait
///            --it holds something else--> quits: everybody starts anew
///
/// An fsync that has failed is never tried again on the same connection. The
/// row view says the trouble before anybody gets the error of it.
///
/// @param self The actor handle; detached, as it blocks.
/// @param context Home, row view, log.
store_actor::behavior_type
store_keeper(store_actor::stateful_pointer<store_state> self,
             hub_context context);

} // namespace ao
