#pragma once

#include "messages/interfaces/tasks.hpp"
#include "messages/local_types.hpp"
#include "messages/role.hpp"

#include <caf/atom.hpp>
#include <caf/replies_to.hpp>

namespace ao {

/// The FORGE: the embedded forge of one project; blocks (git), so it is
/// detached. Gives birth to changes.
AO_ROLE(forge_actor,
        // Answers the change, the open one when the branch has one.
        caf::replies_to<msg::open_change>::with<change>,
        // From the API, for the forge's post-receive hook.
        caf::reacts_to<msg::branch_pushed>,
        // From a SESSION that is about to be made. Answers the base's commit.
        caf::replies_to<msg::follow_checkout>::with<std::string>,
        // From the CI WATCHER: where the work under review begins.
        caf::replies_to<msg::find_base>::with<msg::found_base>,
        // From a SESSION: what was delivered of it.
        caf::replies_to<msg::find_head>::with<msg::found_head>,
        caf::replies_to<msg::prepare_merge>::with<msg::prepared_merge>,
        caf::replies_to<msg::land_merge>::with<msg::landed_merge>,
        // INTERNAL: the next of what waits.
        caf::reacts_to<look_atom>);

/// OVERLAPS: compares what the live sessions of one project change, and has
/// the REGISTRY suspect those that change the same lines. Blocks (git), so it
/// is detached.
AO_ROLE(overlaps_actor,
        // From the FORGE: a branch has a new head.
        caf::reacts_to<msg::branch_pushed>,
        // From the UPLINK: what a worktree holds by now.
        caf::reacts_to<msg::work_seen>,
        // INTERNAL: reads the next branch of those pushed before this start.
        caf::reacts_to<look_atom>);

/// The CI WATCHER: follows one open change: checks of its head, merge, end.
/// The one writer of its rows.
AO_ROLE(ci_watcher_actor,
        // From the FORGE: the head may have moved.
        caf::reacts_to<msg::branch_pushed>,
        // From the MERGE QUEUE. Answers the row as it is then.
        caf::replies_to<msg::begin_merge>::with<change>,
        // From the MERGE QUEUE. Answers when the checks have ended.
        caf::replies_to<msg::check_merge>::with<msg::merge_verdict>,
        // From the API. Answers once durable. Errors: ref_moved (the head is
        // another), wrong_state, not_allowed.
        caf::replies_to<msg::submit_review>::with<msg::review_submitted>,
        // From the API. Answers the row, which is queued then. Errors:
        // wrong_state (closed, in conflict, not green, not approved).
        caf::replies_to<msg::merge_change>::with<change>,
        // From BASE WATCH: the base that was red is green.
        caf::reacts_to<msg::base_recovered>,
        // From a reviewer's SESSION, at each change and each start of that.
        caf::reacts_to<msg::session_changed>,
        // INTERNAL: does again what may have been left undone.
        caf::reacts_to<look_atom>);

/// The CI RUNNERS: run CI commands under shims, at most one per core.
AO_ROLE(ci_runners_actor,
        // Answers when the command has ended; a run that lives or has ended
        // already is adopted.
        caf::replies_to<msg::run_ci>::with<msg::ci_finished>,
        // From the CI WATCHER, when the head has moved. Whoever waits for the
        // run is answered that it is superseded.
        caf::reacts_to<msg::cancel_ci>,
        // INTERNAL: from the link to a shim.
        caf::reacts_to<msg::ci_ended>);

/// BASE WATCH: tells whether the base of one project fails by itself, so that
/// no change is blamed for it, and has a person told.
AO_ROLE(base_watch_actor,
        // From the CI WATCHER, for a run that has failed.
        caf::replies_to<msg::judge_failure>::with<msg::base_judgement>,
        // From the FORGE.
        caf::reacts_to<msg::base_moved>,
        // INTERNAL: the next look is due.
        caf::reacts_to<look_atom>);

/// The PUBLISHER: carries what was merged to the remote that the project
/// publishes to. It exists where `forge.publish` names one.
AO_ROLE(publisher_actor,
        // From the FORGE: the base has moved; INTERNAL: the next try is due.
        caf::reacts_to<look_atom>);

/// The MERGE QUEUE: merges into one branch, one change after the other, and
/// only what is green as merged.
AO_ROLE(merge_queue_actor,
        // Answers what became of it.
        caf::replies_to<msg::enqueue_change>::with<msg::merge_outcome>,
        // INTERNAL: goes on with the item at the front.
        caf::reacts_to<look_atom>);

} // namespace ao
