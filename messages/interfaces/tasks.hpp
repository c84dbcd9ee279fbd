#pragma once

#include "messages/interfaces/atoms.hpp"
#include "messages/interfaces/supervision.hpp"
#include "messages/local_types.hpp"
#include "messages/role.hpp"

#include <caf/atom.hpp>
#include <caf/replies_to.hpp>

namespace ao {

/// The REGISTRY: who may work on what. The one writer of tasks and claims;
/// every answer is durable before it is given.
AO_ROLE(registry_actor,
        // Answers the task, the existing one when its key is known.
        caf::replies_to<msg::add_task>::with<task>,
        // Answers all of them, new or not. Errors: dependency_cycle, …
        caf::replies_to<msg::add_tasks>::with<msg::tasks_added>,
        // Answers the session that was born with the claim. Errors:
        // task_already_claimed (details holder, epoch), task_closed, …
        caf::replies_to<msg::open_session>::with<msg::opened_session>,
        // Answers the task as it is then. Errors: stale_epoch, wrong_state.
        caf::replies_to<msg::move_task>::with<task>,
        caf::replies_to<msg::release_claim>::with<task>,
        // Answers the new grant, or who holds the subject.
        caf::replies_to<msg::regrant_claim>::with<claim>,
        caf::replies_to<msg::cancel_task>::with<task>,
        // From the JOURNAL, when an actor of the task was given up.
        caf::replies_to<msg::park_task>::with<task>,
        caf::replies_to<msg::retry_task>::with<task>,
        // From an INCIDENT. Errors: bad_input, task_closed.
        caf::replies_to<msg::revise_task>::with<task>,
        // From OVERLAPS. Answers the later of the two tasks.
        caf::replies_to<msg::suspect_tasks>::with<task>,
        // From a NODE PROXY, before its node is greeted. Answers how many
        // numbers were too low.
        caf::replies_to<msg::raise_numbers>::with<std::uint64_t>);

/// The BACKLOG: reads the backlogs of the projects and has the REGISTRY take
/// them in; never writes one.
AO_ROLE(backlog_actor,
        // Answers when each backlog was read once, or could not be.
        caf::replies_to<ready_atom>::with<child_list>,
        // Answers what became of each item. Errors: bad_input with the lines,
        // no_such_project, no_such_task, dependency_cycle.
        caf::replies_to<msg::import_backlog>::with<msg::backlog_imported>);

/// The TASK: one unfinished task; turns what its session and its change have
/// become into the task's next state.
AO_ROLE(task_actor,
        // From its SESSION, at each change and each start of that.
        caf::reacts_to<msg::session_changed>,
        // From its CI WATCHER, likewise.
        caf::reacts_to<msg::change_changed>,
        // From the REGISTRY, at each change of its own row.
        caf::reacts_to<msg::task_changed>,
        // INTERNAL: asks the REGISTRY again for what is not done yet.
        caf::reacts_to<look_atom>);

/// The DISPATCHER: gives slots to sessions within the caps, and sessions to
/// ready tasks of projects that dispatch by themselves.
AO_ROLE(dispatcher_actor,
        // From a SESSION that (re)starts and waits.
        caf::reacts_to<msg::admit_session>,
        // From a SESSION that has ended or is parked.
        caf::reacts_to<msg::slot_free>,
        // From the API: the hub is about to stop.
        caf::reacts_to<msg::hold_dispatch>,
        // Something may be able to start now.
        caf::reacts_to<look_atom>);

} // namespace ao
