#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/store.hpp"
#include "messages/orders.hpp"

#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

/// What a part of a node tells about itself, on record; for the UPLINK and the
/// NODE PROXY.
namespace ao {

using seq_promise = caf::typed_response_promise<std::uint64_t>;

namespace detail {

/// Writes down what a part of the node tells.
template <class Self>
void write_down(Self* self, const hub_context& context, const node_name& node,
                const msg::node_report& told, seq_promise promise) {
  event e;
  e.at = context.now();
  e.subject = told.subject;
  e.kind = told.kind;
  e.actor = "node/" + node.text;
  e.data = told.data;
  store_write write;
  write.events = {e};
  ask<store_actor>(self, context, "store"_name, store_deadline,
                   std::move(write))
    .then(
      [promise](const store_written& done) mutable {
        promise.deliver(done.first_seq);
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
}

/// The last event of the kind that is told.
inline const event* last_of(const std::vector<event>& past, event_kind kind) {
  auto same = [kind](const event& e) { return e.kind == kind; };
  auto found = std::find_if(past.rbegin(), past.rend(), same);
  return found == past.rend() ? nullptr : &*found;
}

} // namespace detail

/// Records the report, unless it is told once and the last event of its kind
/// says the same; keeps the promise by the seq of the event.
/// @param context Of `self`'s state.
template <class Self>
void record_node_report(Self* self, const hub_context& context,
                        const node_name& node, const msg::node_report& told,
                        seq_promise promise) {
  if (!told.once)
    return detail::write_down(self, context, node, told, promise);
  msg::read_events past;
  past.subject = told.subject;
  past.limit = 100'000;
  ask<store_actor>(self, context, "store"_name, store_deadline, past)
    .then(
      [self, &context, node, told,
       promise](const msg::event_page& page) mutable {
        const auto* last = detail::last_of(page.events, told.kind);
        if (last != nullptr && last->data == told.data)
          promise.deliver(last->seq);
        else
          detail::write_down(self, context, node, told, promise);
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
}

} // namespace ao
