#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/store.hpp"
#include "runtime/actor/error.hpp"

#include <chrono>
#include <utility>

namespace ao {

/// True when a write has failed because the disk takes none at present: what
/// was decided is dropped, the rows are as they were, and the writer waits
/// instead of ending (`when_store_writes`). After any other failure it ends
/// and comes back from its rows.
inline bool store_is_down(const hub_context& context, const caf::error& why) {
  return to_ao_error(why).code == ec::store_failed
    && context.rows->trouble().has_value();
}

/// Calls `go_on` once, when the STORE takes writes again, or after an hour: who
/// then fails again waits again.
template <class Self, class GoOn>
void when_store_writes(Self* self, const hub_context& context, GoOn go_on) {
  ask<store_actor>(self, context, "store"_name, std::chrono::hours{1},
                   writable_atom::value)
    .then([go_on](std::uint64_t) { go_on(); },
          [go_on](const caf::error&) { go_on(); });
}

/// Sends `note` to itself when it makes sense to try again after `why`: after
/// `pause`, or when the STORE takes writes again.
template <class Self, class Note>
void try_again(Self* self, const hub_context& context, const caf::error& why,
               std::chrono::milliseconds pause, Note note) {
  if (store_is_down(context, why))
    when_store_writes(self, context, [self, note] { self->send(self, note); });
  else
    self->delayed_send(self, pause, note);
}

} // namespace ao
