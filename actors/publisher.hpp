#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/forge.hpp"

#include <string>

namespace ao {

/// State of the PUBLISHER.
struct publisher_state {
  static inline const char* name = "publisher";
  hub_context context;
  project_id project;
  bool pushing = false;
  /// The base has moved while a push was under way.
  bool again = false;
  /// Pause before the next try after a failure; doubles.
  milliseconds pause{0};
};

/// Pushes the forge's base to `forge.publish`, never with force:
///
///   start, base moved --> push --done--> record it once per commit
///                              --failed--> record it once per commit, try
///                                          again after 5 s doubling to 5 min
///
/// What is to be pushed is read from the forge at each try, so nothing is lost
/// with an earlier life.
///
/// @param self The actor handle.
/// @param context The hub.
/// @param project Whose base.
publisher_actor::behavior_type
publisher(publisher_actor::stateful_pointer<publisher_state> self,
          hub_context context, project_id project);

} // namespace ao
