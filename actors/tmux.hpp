#pragma once

#include "actors/node_context.hpp"
#include "messages/interfaces/sessions.hpp"
#include "runtime/tmux/tmux.hpp"

#include <caf/actor_clock.hpp>

#include <cstdint>
#include <map>
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

  /// When each pane last had output, as of the last look.
  std::map<session_id, std::int64_t> last_output;
  std::optional<caf::actor_clock::time_point> looked;
};

/// Opens and closes the panes of this node, on its own tmux servers.
///
/// @param self The actor handle; detached, as tmux blocks.
/// @param context The node.
tmux_actor::behavior_type tmux(tmux_actor::stateful_pointer<tmux_state> self,
                               node_context context);

} // namespace ao
