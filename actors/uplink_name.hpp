#pragma once

#include "messages/actor_name.hpp"
#include "messages/ids.hpp"

namespace ao {

/// Who takes the orders for sessions of a node: the UPLINK of the embedded one
/// (`local`, or no name), else the node's NODE PROXY.
inline actor_name uplink_of(const node_name& node) {
  if (node.empty() || node.text == "local")
    return actor_name{"uplink"};
  return make_actor_name("node-proxy", node.text);
}

} // namespace ao
