#pragma once

#include "actors/ask_child.hpp"
#include "messages/interfaces/sessions.hpp"

#include <utility>

namespace ao {

/// Hands an order of the hub to the RUNNER of its session, which is started
/// for it.
template <class Self, class Order>
caf::result<session_id> pass_to_runner(Self* self, const session_id& session,
                                       Order order) {
  auto promise = self->template make_response_promise<session_id>();
  ask_child<runner_actor>(
    self, self->state.context, "runners"_name,
    make_actor_name("runner", session.text), registry_deadline,
    std::move(order),
    [promise](const session_id& id) mutable { promise.deliver(id); },
    [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

} // namespace ao
