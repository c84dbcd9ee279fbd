#pragma once

#include "actors/incident.hpp"
#include "messages/interfaces.hpp"
#include "runtime/actor/harden.hpp"

#include <chrono>
#include <string>

/// What the files of the INCIDENT share; nobody else includes this.
namespace ao::incident_parts {

using self_pointer = incident_actor::stateful_pointer<incident_actor_state>;

/// After a neighbour did not answer, everything due is done again.
constexpr std::chrono::seconds retry_delay{2};

/// Says that a neighbour did not do what was asked.
inline void say(self_pointer self, const char* what, const caf::error& why) {
  auto& st = self->state;
  st.context.say(log_level::warn,
                 std::string{what} + " incident=" + st.row.id.text
                   + " reason=\"" + to_string(to_ao_error(why)) + "\"");
}

/// Has everything that is due done again after a while.
inline void look_later(self_pointer self) {
  self->state.alarm.after(self, retry_delay);
}

/// The same, and does later what is due.
inline auto try_later(self_pointer self, const char* what) {
  return [self, what](const caf::error& why) {
    say(self, what, why);
    look_later(self);
  };
}

/// One effect less is under way.
void settle(self_pointer self);

/// Does what a decision leads to, after its commit. Doing it again changes
/// nothing.
void carry_out(self_pointer self, const incident_effect& effect);

} // namespace ao::incident_parts
