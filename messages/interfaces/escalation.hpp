#pragma once

#include "messages/interfaces/tasks.hpp"
#include "messages/local_types.hpp"
#include "messages/role.hpp"

#include <caf/atom.hpp>
#include <caf/replies_to.hpp>

namespace ao {

/// The ESCALATION: finds the incident of a cause, or opens it.
AO_ROLE(escalation_actor,
        // From the CI WATCHER, the TASK, …. Answers once it is durable.
        caf::replies_to<msg::report_cause>::with<incident_id>,
        // Answers how many incidents were open.
        caf::replies_to<msg::report_recovered>::with<std::uint64_t>,
        // INTERNAL: goes on with what waits.
        caf::reacts_to<look_atom>);

/// The INCIDENT: one (task, cause). The one writer of its row.
AO_ROLE(incident_actor,
        // From the ESCALATION. Answers once it is durable.
        caf::replies_to<msg::report_cause>::with<incident_id>,
        caf::replies_to<msg::report_recovered>::with<std::uint64_t>,
        // From the API and the CHAT. A repeated request is answered with the
        // incident as it is. Errors: incident_closed, already_answered,
        // wrong_state, not_allowed, bad_input.
        caf::replies_to<msg::resolve_incident>::with<incident>,
        caf::replies_to<msg::answer_incident>::with<incident>,
        caf::replies_to<msg::mark_incident>::with<incident>,
        // From its tiers.
        caf::reacts_to<msg::incident_overdue>,
        caf::reacts_to<msg::mediator_found>, caf::reacts_to<msg::tier_failed>,
        // From a mediator's SESSION, at each change and each start of that.
        caf::reacts_to<msg::session_changed>,
        // INTERNAL: does again what may have been left undone.
        caf::reacts_to<look_atom>);

/// SELF HEAL, MEDIATION and HUMAN: the three tiers, one actor of one of them
/// for each open incident. Each turns the incident's row into what its tier
/// is to do, and keeps its deadline.
AO_ROLE(tier_actor,
        // From the INCIDENT, at each change. Answers when it is taken.
        caf::replies_to<msg::incident_changed>::with<incident_id>,
        // INTERNAL: the deadline, or another try.
        caf::reacts_to<look_atom>);

/// The OUTBOX of one notifier: sends its notifications in order, again and
/// again until they are taken. The one writer of their rows.
AO_ROLE(outbox_actor,
        // There may be something to send.
        caf::reacts_to<look_atom>,
        // From the API. Answers the row once it is durable.
        caf::replies_to<msg::test_notification>::with<notification>,
        // From the API. Answers the row once it is durable. Errors:
        // no_such_notification, wrong_state (it was taken).
        caf::replies_to<msg::retry_notification>::with<notification>);

/// NOTICES: tells people what happened and needs no answer.
AO_ROLE(notices_actor,
        // INTERNAL: there are events.
        caf::reacts_to<look_atom>);

/// The CHAT: listens to one bot, and hands what is said in its chats to the
/// INCIDENTs that have asked.
AO_ROLE(chat_actor,
        // INTERNAL: goes on after a pause.
        caf::reacts_to<look_atom>);

} // namespace ao
