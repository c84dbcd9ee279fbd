#pragma once

#include "actors/hub_context.hpp"
#include "actors/write_turns.hpp"
#include "messages/interfaces/escalation.hpp"

#include <functional>
#include <list>
#include <string>

namespace ao {

/// State of the ESCALATION.
struct escalation_state {
  static inline const char* name = "escalation";
  hub_context context;

  /// A cause without incident, with whom to answer.
  struct call {
    msg::report_cause what;
    std::function<void(result<incident_id>)> answer;
  };
  write_turns<call> turns;
};

/// The door of the INCIDENTS: finds the one of a cause, or gives it a number
/// and a row, has it started, and passes on what was reported.
///
///   cause --known--> INCIDENT --> its answer
///         --new--> number and row --COMMIT--> INCIDENT --> its answer
///
/// One cause has one incident for ever: it is opened again when the cause
/// comes back.
///
/// @param self The actor handle.
/// @param context The hub.
escalation_actor::behavior_type
escalation(escalation_actor::stateful_pointer<escalation_state> self,
           hub_context context);

} // namespace ao
