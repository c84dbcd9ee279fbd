#pragma once

#include "runtime/actor/context.hpp"
#include "runtime/actor/shared_context.hpp"

// What every behaviour needs of CAF, so that it is included in one place.
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace ao {

/// The first line of every behaviour: an exception ends the actor with
/// `internal: <what>` (its supervisor and the asker in turn see that), and an
/// unexpected message is logged and answered, both without CAF's own lines on
/// stderr. The actor's name goes into the line. A `planted_fault` makes it
/// throw.
void harden(caf::scheduled_actor* self, const actor_context& context);

/// The same for an actor whose state keeps `context`, and that holds no other
/// copy of it.
void harden_with(caf::scheduled_actor* self, const actor_context* context);

template <class Context>
void harden(caf::scheduled_actor* self,
            const shared_context<Context>& context) {
  harden_with(self, &*context);
}

} // namespace ao
