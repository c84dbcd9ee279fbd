#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/supervision.hpp"

namespace ao {

/// State of the JOURNAL.
struct journal_state {
  static inline const char* name = "journal";
  hub_context context;
  /// A note is being written down.
  bool writing = false;
};

/// Writes down what the supervisors have decided, oldest first:
///
///   note --> event --> STORE --restarted, abandoned--> next
///                            --given up--> park its session's row, have the
///                                          REGISTRY park its task --> next
///            --no answer--> the same again later; the notes outlive us
///
/// It stands before the STORE, so that the death of that is recorded too.
///
/// @param self The actor handle.
/// @param context The hub, with its notes.
journal_actor::behavior_type
journal(journal_actor::stateful_pointer<journal_state> self,
        hub_context context);

} // namespace ao
