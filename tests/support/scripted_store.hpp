#pragma once

#include "messages/interfaces/store.hpp"
#include "runtime/store/row_view.hpp"

#include <caf/stateful_actor.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace ao::test {

struct scripted_store_state {};

/// The twin of the STORE: keeps every write, and has no past.
/// @param writes Gets them, in order.
/// @param oldest The first event that is still kept; a reader that asks for
/// what was before gets `cursor_too_old`.
store_actor::behavior_type
scripted_store(store_actor::stateful_pointer<scripted_store_state> self,
               std::shared_ptr<std::vector<store_write>> writes,
               std::uint64_t oldest);

/// The same, of which every write is shown at once.
store_actor::behavior_type
showing_store(store_actor::stateful_pointer<scripted_store_state> self,
              row_view* rows);

} // namespace ao::test
