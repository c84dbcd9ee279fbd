#pragma once

#include "actors/hub_context.hpp"
#include "actors/write_turns.hpp"
#include "messages/interfaces/escalation.hpp"
#include "runtime/actor/look_alarm.hpp"
#include "runtime/rules/incidents.hpp"

#include <functional>

namespace ao {

/// State of the INCIDENT.
struct incident_actor_state {
  static inline const char* name = "incident";
  hub_context context;
  incident row;

  /// An input of the rule, with whom to answer once it is durable.
  struct call {
    incident_input input;
    std::function<void(result<incident>)> answer;
    /// Of a person's or a mediator's request.
    request_id request = {};
  };
  write_turns<call> turns;

  /// Effects that have not been answered.
  std::size_t pending = 0;
  /// One of them is to be done once more.
  bool again = false;
  look_alarm alarm;
};

/// One incident, and the one writer of its row. Every input goes the same
/// way:
///
///   cause, recovery, verdict, answer, word of its tier
///     --> rule --> COMMIT (with its notifications) --> effects --> answer
///     then its tier, SELF HEAL, MEDIATION or HUMAN, is told the row
///   closed, nothing left to do --> ends
///
/// At its start it repeats what may have been left undone.
///
/// @param self The actor handle.
/// @param context The hub.
/// @param id Which.
incident_actor::behavior_type
incident_keeper(incident_actor::stateful_pointer<incident_actor_state> self,
                hub_context context, incident_id id);

} // namespace ao
