#pragma once

#include "messages/interfaces/atoms.hpp"
#include "messages/role.hpp"
#include "messages/supervision.hpp"

#include <caf/atom.hpp>
#include <caf/replies_to.hpp>

#include <string>
#include <vector>

namespace ao {

/// "Tell me when you are ready": a child whose specification says so is
/// started when it has answered this, and not merely when its behaviour runs.
using ready_atom = caf::atom_constant<caf::atom("ready")>;

/// Starts the child called `id`. Repeating it is safe: a child that runs is
/// answered at once, one that is starting when it is ready.
struct start_child {
  std::string id;
};
AO_INSPECT(start_child, AO_FIELD(id))

/// Stops the child called `id`; answered when it has ended. Under a dynamic
/// supervisor the child is removed, and stopping one that is not there is no
/// error; elsewhere its specification is kept for `restart_child`.
struct stop_child {
  std::string id;
};
AO_INSPECT(stop_child, AO_FIELD(id))

/// Starts a child again that was stopped or has ended.
struct restart_child {
  std::string id;
};
AO_INSPECT(restart_child, AO_FIELD(id))

using list_children_atom = caf::atom_constant<caf::atom("children")>;

AO_INSPECT(child_info, AO_FIELD(id), AO_FIELD(phase), AO_FIELD(kind),
           AO_FIELD(incarnation), AO_FIELD(restarts))

/// The children of one supervisor, in start order.
struct child_list {
  std::vector<child_info> children;
  /// Children given up as unkillable since the supervisor started.
  std::uint64_t abandoned = 0;
};
AO_INSPECT(child_list, AO_FIELD(children), AO_FIELD(abandoned))

/// INTERNAL: timers of the supervision rule are due, those of the moment with
/// this number.
struct supervision_timer {
  std::uint64_t number = 0;
};
AO_INSPECT(supervision_timer, AO_FIELD(number))

/// FAULT INJECTION: whoever receives it throws, see runtime/actor/harden.hpp.
/// Sent by the API of a hub that was started for it, to try its supervisors.
struct planted_fault {
  std::string why;
};
AO_INSPECT(planted_fault, AO_FIELD(why))

/// The JOURNAL: makes what the supervisors have decided part of the record,
/// and parks what a child that was given up has worked on.
AO_ROLE(journal_actor,
        // From the supervisors' hooks: there is a note; INTERNAL: once more.
        caf::reacts_to<look_atom>);

/// The SUPERVISOR: starts, restarts and stops its children; see
/// actors/supervisor.hpp.
AO_ROLE(supervisor_actor,
        // Answers when all children that it started with are ready.
        caf::replies_to<ready_atom>::with<child_list>,
        // Answers when the child is ready, or with why it is not.
        caf::replies_to<start_child>::with<child_info>,
        // Answers when the child has ended.
        caf::replies_to<stop_child>::with<child_info>,
        // Answers when the child is ready, or with why it is not.
        caf::replies_to<restart_child>::with<child_info>,
        // Answers at once, also while a child waits for its restart.
        caf::replies_to<list_children_atom>::with<child_list>,
        // INTERNAL: a deadline or delay is over.
        caf::reacts_to<supervision_timer>);

} // namespace ao
