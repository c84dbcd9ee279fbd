#pragma once

#include "actors/tier_parts.hpp"

namespace ao {

/// MEDIATION: one mediator's session per round, keyed so that a repeat finds
/// the same.
///
///   row --> session of role mediator --> INCIDENT knows it
///                                    --cannot be had--> INCIDENT
///   deadline --> INCIDENT
///
/// @param self The actor handle.
/// @param context The hub.
/// @param id The incident.
tier_actor::behavior_type
mediation(tier_actor::stateful_pointer<tier_state> self, hub_context context,
          incident_id id);

} // namespace ao
