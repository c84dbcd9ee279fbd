#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/store.hpp"

#include <string>
#include <utility>

namespace ao {

/// Puts an event on record that must be there once, however often its reason
/// is found, also over restarts; then calls `then`, or `otherwise` with why it
/// is not there.
/// @param what Names the reason, e.g. `published/app/<sha>`; the key of the
/// write.
template <class Self, class Then, class Otherwise>
void record_once(Self* self, const hub_context& context,
                 const std::string& what, event e, Then then,
                 Otherwise otherwise) {
  store_write write;
  write.request = request_id{what};
  write.answer = "{}";
  write.events = {std::move(e)};
  ask<store_actor>(self, context, "store"_name, store_deadline,
                   std::move(write))
    .then([then](const store_written&) mutable { then(); },
          [otherwise](const caf::error& why) mutable { otherwise(why); });
}

/// The same where nobody waits: one that is lost is recorded when its reason is
/// found again.
template <class Self>
void record_once(Self* self, const hub_context& context,
                 const std::string& what, event e) {
  record_once(
    self, context, what, std::move(e), [] {},
    [context, what](const caf::error& why) {
      context.say(log_level::warn,
                  "event_lost key=" + what + " reason=\""
                    + to_string(to_ao_error(why)) + "\"");
    });
}

} // namespace ao
