#pragma once

#include "actors/node_context.hpp"
#include "runtime/http/respond.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <memory>
#include <string>

namespace ao {

/// What of a node reaches its hub beside orders and reports.

/// Answers the requests that agents make on the node's `agent.sock`: the hub's
/// API does, over the link. The hooks of the node's relays are answered here:
/// a push is carried to the hub's forge, whose hook decides.
/// @param system Outlives the server and the pool.
/// @param pool Its threads wait for the hub.
http::handler make_relay_handler(caf::actor_system& system, reader_pool& pool,
                                 const node_context& context);

/// Brings the node's relay of a project up to date with the hub's forge, and
/// makes it where there is none. Blocks. Errors: `not_reachable` without a
/// connection, those of the hub and of git.
result<void> refresh_relay(caf::actor_system& system,
                           const node_context& context,
                           const project_id& project);

} // namespace ao
