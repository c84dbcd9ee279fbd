#pragma once

#include "actors/node_context.hpp"
#include "messages/interfaces/sessions.hpp"

namespace ao {

/// State of the INVENTORY.
struct inventory_state {
  static inline const char* name = "inventory";
  node_context context;
};

/// The node's first look: compares what lies in the home and on the tmux
/// servers with the rows, once, before any session is started; later when a
/// server does not answer.
///
///   pane or shim of an ended session --> stopped by its RUNNER, told
///   anything that no row knows -------> told, never touched
///
/// What may live is adopted by its own RUNNER.
///
/// @param self The actor handle; ends when it has looked.
/// @param context The node.
inventory_actor::behavior_type
inventory(inventory_actor::stateful_pointer<inventory_state> self,
          node_context context);

} // namespace ao
