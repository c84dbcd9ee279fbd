#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/api.hpp"
#include "runtime/http/respond.hpp"
#include "runtime/store/event_feed.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace ao {

/// What a reader of events wants.
struct event_wish {
  /// Only later ones.
  std::uint64_t after = 0;
  /// Only those of this subject.
  std::optional<std::string> subject;
  http::respond_once respond;
};

/// State of the EVENT STREAMER.
struct event_streamer_state {
  static inline const char* name = "event-streamer";
  hub_context context;
  event_wish wish;

  /// The last event that was looked at.
  std::uint64_t cursor = 0;

  /// Open once the first page is there.
  http::event_stream out;
  bool opened = false;

  /// The STORE is being asked.
  bool reading = false;

  /// A look is in the mailbox: news of the meantime need no other.
  std::shared_ptr<std::atomic<bool>> woken;

  /// Ends first, so that nobody wakes what is gone.
  subscription news;
};

/// Writes events to one reader: those of the past, then each new one.
///
///   look --ring reaches back--> write --all written--> wait for news
///        --else--> STORE ------>   |  --full page----> look again
///   first page is an error --> problem document, ends
///   reader left, API ended  --> ends
///
/// @param self The actor handle.
/// @param context The hub.
/// @param parent The API; ends with it.
/// @param wish What to send, and where.
event_streamer_actor::behavior_type event_streamer(
  event_streamer_actor::stateful_pointer<event_streamer_state> self,
  hub_context context, caf::actor_addr parent, event_wish wish);

} // namespace ao
