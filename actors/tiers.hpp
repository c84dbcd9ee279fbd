#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/escalation.hpp"

#include <string>

namespace ao {

/// State of SELF HEAL, MEDIATION and HUMAN.
struct tier_state {
  static inline const char* name = "tier";
  hub_context context;
  incident row;
  /// The deadline for which a look is armed.
  std::optional<wall_time> armed;
  /// What is under way, so that it is not begun twice.
  std::string doing;
};

/// SELF HEAL: the agent itself is told what fails, once per try.
///
///   row --> message to the session's agent --cannot be told--> INCIDENT
///   deadline --> INCIDENT
///
/// @param self The actor handle.
/// @param context The hub.
/// @param id The incident.
tier_actor::behavior_type
self_heal_tier(tier_actor::stateful_pointer<tier_state> self,
               hub_context context, incident_id id);

/// MEDIATION: one mediator's session per round, keyed so that a repeat finds
/// the same.
///
///   row --> session of role mediator --> INCIDENT knows it
///                                     --cannot be had--> INCIDENT
///   deadline --> INCIDENT
tier_actor::behavior_type
mediation_tier(tier_actor::stateful_pointer<tier_state> self,
               hub_context context, incident_id id);

/// HUMAN: keeps the ages at which an open question is asked again. What a
/// person is told is in the OUTBOX with the decision to ask.
tier_actor::behavior_type
human_tier(tier_actor::stateful_pointer<tier_state> self, hub_context context,
           incident_id id);

} // namespace ao
