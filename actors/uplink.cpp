#include "actors/uplink.hpp"

#include "actors/ask_child.hpp"
#include "messages/interfaces/forge.hpp"
#include "messages/interfaces/store.hpp"
#include "runtime/actor/harden.hpp"

#include <algorithm>

namespace ao {
namespace {

using self_pointer = uplink_actor::stateful_pointer<uplink_state>;

/// Hands the order to the session's RUNNER, which is started for it.
template <class Order>
caf::result<session_id> pass_on(self_pointer self, const session_id& session,
                                Order order) {
  auto promise = self->make_response_promise<session_id>();
  ask_child<runner_actor>(
    self, self->state.context, "runners"_name,
    make_actor_name("runner", session.text), registry_deadline,
    std::move(order),
    [promise](const session_id& id) mutable { promise.deliver(id); },
    [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

using seq_promise = caf::typed_response_promise<std::uint64_t>;

/// Writes down what a part of the node tells.
void write_down(self_pointer self, const msg::node_report& told,
                seq_promise promise) {
  auto& context = self->state.context;
  event e;
  e.at = context.now();
  e.subject = told.subject;
  e.kind = told.kind;
  e.actor = "node/" + context.node.text;
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
const event* last_of(const std::vector<event>& past, event_kind kind) {
  auto same = [kind](const event& e) { return e.kind == kind; };
  auto found = std::find_if(past.rbegin(), past.rend(), same);
  return found == past.rend() ? nullptr : &*found;
}

caf::result<std::uint64_t> record(self_pointer self,
                                  const msg::node_report& told) {
  auto promise = self->make_response_promise<std::uint64_t>();
  if (!told.once) {
    write_down(self, told, promise);
    return promise;
  }
  msg::read_events past;
  past.subject = told.subject;
  past.limit = 100'000;
  ask<store_actor>(self, self->state.context, "store"_name, store_deadline,
                   past)
    .then(
      [self, told, promise](const msg::event_page& page) mutable {
        const auto* last = last_of(page.events, told.kind);
        if (last != nullptr && last->data == told.data)
          promise.deliver(last->seq);
        else
          write_down(self, told, promise);
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

} // namespace

uplink_actor::behavior_type uplink(self_pointer self, node_context context) {
  harden(self, context);
  self->state.context = std::move(context);
  return {
    [self](const msg::ensure_order& order) {
      return pass_on(self, order.spec.session, order);
    },
    [self](const msg::stop_order& order) {
      return pass_on(self, order.session, order);
    },
    [self](const msg::publish_order& order) {
      return pass_on(self, order.session, order);
    },
    [self](const msg::work_seen& news) {
      tell<overlaps_actor>(self->state.context,
                           make_actor_name("overlaps", news.project.text),
                           news);
    },
    [self](const msg::node_report& told) { return record(self, told); },
    [self](const msg::deliver_message& order) {
      return pass_on(self, order.session, order);
    },
    [self](const msg::message_report& report) -> caf::result<message_id> {
      auto promise = self->make_response_promise<message_id>();
      ask<mailbox_actor>(self, self->state.context,
                         make_actor_name("mailbox", report.session.text),
                         registry_deadline, report)
        .then(
          [promise](const message_id& id) mutable { promise.deliver(id); },
          [promise](const caf::error& why) mutable { promise.deliver(why); });
      return promise;
    },
    [self](const msg::session_report& report) -> caf::result<std::uint64_t> {
      auto promise = self->make_response_promise<std::uint64_t>();
      ask<session_actor>(self, self->state.context,
                         make_actor_name("session", report.session.text),
                         registry_deadline, report)
        .then(
          [promise](std::uint64_t seq) mutable { promise.deliver(seq); },
          [promise](const caf::error& why) mutable { promise.deliver(why); });
      return promise;
    },
  };
}

} // namespace ao
