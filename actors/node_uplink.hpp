#pragma once

#include "actors/node_context.hpp"
#include "messages/interfaces/sessions.hpp"

namespace ao {

/// State of the UPLINK of a node of its own.
struct node_uplink_state {
  static inline const char* name = "node-uplink";
  node_context context;
};

/// The same door as the embedded node's UPLINK, with a hub on another host:
/// orders come from the LINK, reports go to it. While there is no connection
/// they are refused as `not_reachable`, and their RUNNERS tell them again.
///
/// @param self The actor handle.
/// @param context The node.
uplink_actor::behavior_type
node_uplink(uplink_actor::stateful_pointer<node_uplink_state> self,
            node_context context);

} // namespace ao
