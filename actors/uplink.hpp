#pragma once

#include "actors/node_context.hpp"
#include "messages/interfaces/sessions.hpp"

namespace ao {

/// State of the UPLINK.
struct uplink_state {
  static inline const char* name = "uplink";
  node_context context;
};

/// The embedded node's door to its hub: starts the RUNNER that an order is
/// for, passes the order on, and carries reports to the SESSION.
///
/// @param self The actor handle.
/// @param context Names of the host; the runners' supervisor is `runners`.
uplink_actor::behavior_type
uplink(uplink_actor::stateful_pointer<uplink_state> self, node_context context);

} // namespace ao
