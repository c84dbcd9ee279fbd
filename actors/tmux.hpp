#pragma once

#include "actors/node_context.hpp"
#include "messages/interfaces/sessions.hpp"
#include "runtime/tmux/tmux.hpp"

#include <optional>
#include <set>

namespace ao {

/// State of the TMUX.
struct tmux_state {
  static inline const char* name = "tmux";
  node_context context;
  std::optional<tmux_servers> servers;

  /// Servers whose end will be told.
  std::set<pid_t> watched;
};

/// Opens and closes the panes of this node, on its own tmux servers.
///
/// @param self The actor handle; detached, as tmux blocks.
/// @param context The node.
tmux_actor::behavior_type tmux(tmux_actor::stateful_pointer<tmux_state> self,
                               node_context context);

} // namespace ao
