#pragma once

#include "messages/interfaces/tasks.hpp"
#include "messages/local_types.hpp"
#include "messages/role.hpp"
#include "messages/worktree.hpp"

#include <caf/atom.hpp>
#include <caf/replies_to.hpp>

#include <cstdint>

namespace ao {

/// The SESSION: policy, budget and row of one agent's session.
AO_ROLE(session_actor,
        // From the UPLINK: a fact of the node. Answers its seq once durable.
        caf::replies_to<msg::session_report>::with<std::uint64_t>,
        // Answers when the order is durable; the end follows by events.
        caf::replies_to<msg::session_order>::with<session>,
        // From the REGISTRY, at each change of its task or its claim.
        caf::reacts_to<msg::task_changed>,
        // From the agent itself (`ao report`).
        caf::replies_to<msg::agent_word>::with<session>,
        // From the CI WATCHER of its change.
        caf::reacts_to<msg::change_changed>,
        // From the DISPATCHER.
        caf::reacts_to<msg::slot_granted>, caf::reacts_to<msg::slot_waits>,
        // INTERNAL: the delay before a restart is over.
        caf::reacts_to<msg::restart_now>,
        // From its MAILBOX: there is a message for an exited agent.
        caf::reacts_to<msg::message_waits>,
        // INTERNAL: does again what may have been left undone.
        caf::reacts_to<look_atom>);

/// The BREAKERS: hold the agents of an account together while they fail of one
/// cause. The one writer of their rows.
AO_ROLE(breakers_actor,
        // From a SESSION, the API, the DISPATCHER. Answers once it is durable.
        caf::replies_to<msg::agent_failed>::with<std::uint64_t>,
        // Something may have been repaired: every open one is tried now.
        caf::reacts_to<probe_atom>,
        // INTERNAL: a time is over, or rows have changed.
        caf::reacts_to<look_atom>);

/// The MAILBOX: the messages to one session, one at a time. The one writer of
/// their rows.
AO_ROLE(mailbox_actor,
        // From the API and whoever has something to tell an agent. Answers the
        // row once it is durable; the same request id is the same message.
        caf::replies_to<msg::send_message>::with<message>,
        // From its SESSION, at each change and each start of that.
        caf::reacts_to<msg::session_changed>,
        // From the UPLINK: how far a delivery is. Answers once durable.
        caf::replies_to<msg::message_report>::with<message_id>,
        // INTERNAL: a deadline is over, or something is to be asked again.
        caf::reacts_to<look_atom>);

/// The UPLINK: the node's door, both ways. Orders of the hub go in, reports
/// go out until the hub has made them durable.
AO_ROLE(uplink_actor,
        // From the SESSION. Answers when the RUNNER has taken the order.
        caf::replies_to<msg::ensure_order>::with<session_id>,
        caf::replies_to<msg::stop_order>::with<session_id>,
        caf::replies_to<msg::publish_order>::with<session_id>,
        // From the MAILBOX. Answers when the RUNNER has taken the order.
        caf::replies_to<msg::deliver_message>::with<session_id>,
        // From the API. Nothing where there is no worktree.
        caf::replies_to<msg::inspect_worktree>::with<worktree_facts>,
        // From the RUNNER. Answers when the MAILBOX has made it durable.
        caf::replies_to<msg::message_report>::with<message_id>,
        // From the RUNNER. Answers the seq that the hub has made durable.
        caf::replies_to<msg::session_report>::with<std::uint64_t>,
        // From the RUNNER, for OVERLAPS.
        caf::reacts_to<msg::work_seen>,
        // From a part of the node. Answers the seq of the event.
        caf::replies_to<msg::node_report>::with<std::uint64_t>);

/// The RUNNER: carries out the orders for one session on its node, one at a
/// time, and reports what is the case. It decides nothing but the undoing of
/// its own half-made steps.
AO_ROLE(runner_actor,
        // Answer when the order is taken; what becomes of it is reported.
        caf::replies_to<msg::ensure_order>::with<session_id>,
        caf::replies_to<msg::stop_order>::with<session_id>,
        caf::replies_to<msg::publish_order>::with<session_id>,
        caf::replies_to<msg::deliver_message>::with<session_id>,
        // INTERNAL: the next step of a delivery.
        caf::reacts_to<msg::typing_due>,
        // INTERNAL: from the link to the shim.
        caf::reacts_to<msg::shim_word>,
        // INTERNAL: from the reader of its transcript.
        caf::reacts_to<msg::transcript_seen>,
        // INTERNAL: look for signs of life.
        caf::reacts_to<msg::liveness_due>,
        // INTERNAL: a stop took too long.
        caf::reacts_to<msg::stop_overdue>,
        // INTERNAL: next step, or next report.
        caf::reacts_to<look_atom>);

/// The REPOSITORY: the worktrees of one project on one node. Serialises what
/// touches shared metadata; blocks, so it is detached.
AO_ROLE(repository_actor,
        // Makes branch and worktree without files, from what is fetched.
        caf::replies_to<msg::add_worktree>::with<msg::worktree_made>,
        // Answers when worktree and branch are gone, or why they are kept.
        caf::replies_to<msg::drop_worktree>::with<msg::worktree_dropped>);

/// The INVENTORY: the node's first look at what lies around.
AO_ROLE(inventory_actor,
        // INTERNAL: look again; it works by itself and stays for its answers.
        caf::reacts_to<look_atom>);

/// The TMUX: the panes of one node; blocks, so it is detached.
AO_ROLE(tmux_actor,
        // Answers the pane with this run's shim in it, the one that is there
        // already when it is of the same run.
        caf::replies_to<msg::open_pane>::with<msg::pane_opened>,
        caf::replies_to<msg::list_panes>::with<msg::pane_list>,
        // Errors: not_reachable when there is no such pane.
        caf::replies_to<msg::ask_activity>::with<msg::pane_activity>,
        // INTERNAL: a server has ended.
        caf::reacts_to<msg::terminal_gone>,
        // Answers when there is no such pane.
        caf::replies_to<msg::close_pane>::with<session_id>,
        // Answers when the text is submitted in the pane.
        caf::replies_to<msg::paste_text>::with<session_id>,
        // Answer when it is typed. Errors: not_reachable = nothing was typed,
        // as this run has no pane; others = unknown whether it was.
        caf::replies_to<msg::type_text>::with<session_id>,
        caf::replies_to<msg::press_key>::with<session_id>,
        // Answers the screen. Errors: not_reachable = no such pane.
        caf::replies_to<msg::look_at_pane>::with<msg::seen_pane>);

} // namespace ao
