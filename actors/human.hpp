#pragma once

#include "actors/tier_parts.hpp"

namespace ao {

/// HUMAN: keeps the ages at which an open question is asked again, and how
/// long the outcome of an answer is waited for.
///
///   deadline --> INCIDENT
///
/// @param self The actor handle.
/// @param context The hub.
/// @param id The incident.
tier_actor::behavior_type human(tier_actor::stateful_pointer<tier_state> self,
                                hub_context context, incident_id id);

} // namespace ao
