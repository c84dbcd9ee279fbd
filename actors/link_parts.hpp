#pragma once

#include "actors/link.hpp"
#include "runtime/actor/harden.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

/// What the files of the LINK share; nobody else includes this.
namespace ao::link_parts {

using self_pointer = link_actor::stateful_pointer<link_state>;
using reply_promise = caf::typed_response_promise<msg::wire_reply>;

inline msg::wire_call call_of(self_pointer self, std::string_view verb,
                              std::string body = "{}") {
  msg::wire_call out;
  out.verb = std::string{verb};
  out.node = self->state.host.hub.name.text;
  out.incarnation = self->state.host.incarnation;
  out.body = std::move(body);
  return out;
}

inline auto door_of(self_pointer self) {
  return caf::actor_cast<front_door_actor::super>(self->state.door);
}

/// Takes the next step to a new certificate when one is due; says so when the
/// present one counts no more.
void look_at_renewal(self_pointer self);

/// The hub does not know the certificate that was put in place: the one before
/// is put back, and `then` is called. False when there is none before.
bool go_back(self_pointer self, std::function<void()> then);

/// The hub has greeted us: it knows the certificate that is in place.
void settle_greeted(self_pointer self);

/// Looks at the agent programs and the memory when that is due, and tells the
/// hub what has changed.
void look_at_facts(self_pointer self);

/// Hands a step of looking at a terminal to TERMINALS.
void use_terminal(self_pointer self, const msg::wire_call& call,
                  reply_promise promise);

/// The hub wants to know in any case.
void look_anew(self_pointer self, reply_promise promise);

/// The hub has greeted us: it knows nothing of this life's facts.
void tell_facts_again(self_pointer self);

} // namespace ao::link_parts
