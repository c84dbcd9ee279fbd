#pragma once

#include "messages/interfaces/atoms.hpp"
#include "messages/local_types.hpp"
#include "messages/retention.hpp"
#include "messages/role.hpp"

#include <caf/atom.hpp>
#include <caf/replies_to.hpp>

#include <cstdint>

namespace ao {

/// INTERNAL: commit what has arrived by now.
using flush_atom = caf::atom_constant<caf::atom("flush")>;

/// Is the database to be written again?
using writable_atom = caf::atom_constant<caf::atom("writable")>;

/// The STORE: the one door to the database. Rows that it has committed are in
/// the row view before it answers.
AO_ROLE(store_actor,
        // Answers after COMMIT: what became of the write. Errors: guard_failed
        // (somebody wrote in between), store_failed. While the disk takes no
        // writes all get store_failed at once.
        caf::replies_to<store_write>::with<store_written>,
        // Answers events of the past. Errors: cursor_too_old, store_failed.
        caf::replies_to<msg::read_events>::with<msg::event_page>,
        // Answers whether the request was executed, and with which answer; as
        // a repeated write would be. Errors: store_failed.
        caf::replies_to<msg::recall_request>::with<store_written>,
        // Answers what is gone. Errors: store_failed.
        caf::replies_to<msg::purge_past>::with<msg::purged_past>,
        // Answers when the copy is durable; nothing is written meanwhile.
        // Errors: bad_input (the file is there), store_failed.
        caf::replies_to<msg::back_up>::with<msg::backed_up>,
        // Answers the newest seq as soon as it takes writes.
        caf::replies_to<writable_atom>::with<std::uint64_t>,
        // INTERNAL: lands behind everything already in the mailbox.
        caf::reacts_to<flush_atom>,
        // INTERNAL: during a failure, after a pause.
        caf::reacts_to<probe_atom>);

/// The RETENTION: removes what is older, or more, than is to be kept.
AO_ROLE(retention_actor,
        // INTERNAL: look again.
        caf::reacts_to<look_atom>);

} // namespace ao

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::purge_past)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::purged_past)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::back_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::backed_up)
