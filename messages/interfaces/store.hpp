#pragma once

#include "messages/local_types.hpp"
#include "messages/role.hpp"

#include <caf/atom.hpp>
#include <caf/replies_to.hpp>

namespace ao {

/// INTERNAL: commit what has arrived by now.
using flush_atom = caf::atom_constant<caf::atom("flush")>;

/// The STORE: the one door to the database. Rows that it has committed are in
/// the row view before it answers.
AO_ROLE(store_actor,
        // Answers after COMMIT: what became of the write. Errors: guard_failed
        // (somebody wrote in between), store_failed.
        caf::replies_to<store_write>::with<store_written>,
        // Answers events of the past. Errors: cursor_too_old, store_failed.
        caf::replies_to<msg::read_events>::with<msg::event_page>,
        // INTERNAL: lands behind everything already in the mailbox.
        caf::reacts_to<flush_atom>);

} // namespace ao
