#pragma once

#include "actors/tier_parts.hpp"

namespace ao {

/// SELF HEAL: the agent itself is told what fails, once per try.
///
///   row --> message to the session's agent --cannot be told--> INCIDENT
///   deadline --> INCIDENT
///
/// @param self The actor handle.
/// @param context The hub.
/// @param id The incident.
tier_actor::behavior_type
self_heal(tier_actor::stateful_pointer<tier_state> self, hub_context context,
          incident_id id);

} // namespace ao
