#pragma once

#include "messages/ids.hpp"
#include "messages/session.hpp"

#include <cstdint>
#include <string_view>

namespace ao {

/// Whether a run that a node has is not its any more, so that it has to be
/// ended and its work parked: the session is unknown (the records are of an
/// older backup, or it is long over), is another node's, or is under another
/// grant; also a run that the records do not know. What is merely over ends by
/// the orders of its SESSION.
/// @param row Of the session; null = there is none.
bool has_lost(const node_name& node, epoch_no epoch, run_no run,
              const session* row);

/// Whether a session has, or may have, an agent or unfinished work on its node,
/// so that a drain waits for it. One that is parked for a person waits for
/// nobody else, and its work is kept.
bool holds_node(const session& s);

/// Whether a ref is one of work that has lost.
bool is_parked_ref(std::string_view ref);

} // namespace ao
