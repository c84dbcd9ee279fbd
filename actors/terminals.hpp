#pragma once

#include "actors/node_context.hpp"
#include "messages/interfaces/cluster.hpp"

#include <caf/actor_clock.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ao {

class pty_process;

/// So many look at terminals of one node at a time.
constexpr std::size_t most_attachments = 16;

/// How long a step waits for what it wants.
constexpr std::chrono::seconds terminal_wait{5};

/// Nobody looks through an attachment of which nothing was wanted for so long.
constexpr std::chrono::seconds unasked_limit{12};

/// One client of a session's terminal.
struct terminal_attachment {
  /// A step that waits for output, or for room.
  struct waiting_step {
    msg::use_terminal what;
    caf::typed_response_promise<msg::terminal_part> promise;
    caf::actor_clock::time_point until;
  };

  session_id session;
  std::string request;
  std::shared_ptr<pty_process> client;
  /// Bytes that were taken to be typed.
  std::uint64_t typed = 0;
  caf::actor_clock::time_point asked_at;
  std::vector<waiting_step> waiting;
};

/// State of the TERMINALS.
struct terminals_state {
  static inline const char* name = "terminals";
  node_context context;
  std::map<std::string, terminal_attachment> attachments;
  /// The look that is due at this moment is on its way.
  std::optional<caf::actor_clock::time_point> armed;
};

/// Those who look at terminals of this node through the hub, each by a tmux
/// client on a terminal of its own:
///
///   open  --> a client; the same request gets the same one
///   read  --> what it shows, as soon as there is something, or its end
///   write --> types what was not typed before, sizes the window
///   close, nothing wanted for `unasked_limit` --> the client is ended, and
///             what it shows goes on
///
/// Of output that is not read so much is kept as the pty keeps. Nothing
/// outlives the actor.
///
/// @param self The actor handle.
/// @param context The node.
terminals_actor::behavior_type
terminals(terminals_actor::stateful_pointer<terminals_state> self,
          node_context context);

} // namespace ao
