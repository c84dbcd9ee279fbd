#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/escalation.hpp"
#include "runtime/store/event_feed.hpp"

#include <atomic>
#include <memory>

namespace ao {

/// State of NOTICES.
struct notices_state {
  static inline const char* name = "notices";
  hub_context context;

  /// The last event that was looked at.
  std::uint64_t cursor = 0;
  /// How far it is on record, and whether there was work since people were
  /// told that none is left.
  counter recorded;
  counter at_work;

  /// The STORE is being asked.
  bool busy = false;

  /// A look is in the mailbox: news of the meantime need no other.
  std::shared_ptr<std::atomic<bool>> woken;

  /// Ends first, so that nobody wakes what is gone.
  subscription news;
};

/// Tells people what happened and needs no answer: reads the record from where
/// it was, each event once, and writes notifications for the outboxes. Its
/// place is committed with them, so nothing is told twice or left out.
///
///   event committed --> rule --> COMMIT (notifications, place) --> OUTBOX
///
/// At the first start of all it begins with what happens from then on; what is
/// older than a day is no news.
///
/// @param self The actor handle.
/// @param context The hub.
notices_actor::behavior_type
notices(notices_actor::stateful_pointer<notices_state> self,
        hub_context context);

} // namespace ao
