#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/cluster.hpp"
#include "runtime/tls/strangers.hpp"

#include <cstdint>
#include <memory>

namespace ao {

/// State of the FRONT DOOR.
struct front_door_state {
  static inline const char* name = "front-door";
  hub_context context;
  /// 0 = not open.
  std::uint16_t port = 0;
  int tries = 0;
  /// At the port, and nobody knows who; null before it is open.
  std::shared_ptr<tls::strangers> strangers;
};

/// The one actor that nodes can reach, published at `cluster.link` inside
/// mutual TLS; where that is not configured it opens nothing. A connected
/// peer can reach, and end, whatever is published (CAF.md §7): so this one
/// keeps nothing, and a next one takes its place.
///
///   call --> name and life written on it --> NODE PROXY --> answer
///
/// @param self The actor handle; detached, as opening a port blocks.
/// @param context The hub.
front_door_actor::behavior_type
front_door(front_door_actor::stateful_pointer<front_door_state> self,
           hub_context context);

} // namespace ao
