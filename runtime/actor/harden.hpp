#pragma once

#include "runtime/actor/context.hpp"

#include <caf/fwd.hpp>

namespace ao {

/// The first line of every behaviour: an exception ends the actor with
/// `internal: <what>` (its supervisor and the asker in turn see that), and an
/// unexpected message is logged and answered, both without CAF's own lines on
/// stderr. The actor's name goes into the line.
void harden(caf::scheduled_actor* self, const actor_context& context);

} // namespace ao
