#include "actors/node_uplink.hpp"

#include "actors/inspect_worktree.hpp"
#include "actors/to_runner.hpp"
#include "messages/interfaces/cluster.hpp"
#include "runtime/actor/harden.hpp"

#include <charconv>

namespace ao {
namespace {

using self_pointer = uplink_actor::stateful_pointer<node_uplink_state>;

/// Tells the hub; `take` gets the body of its answer.
template <class Told, class Take, class Fail>
void tell_hub(self_pointer self, std::string_view verb, const Told& told,
              Take take, Fail fail) {
  msg::call_hub call;
  call.verb = std::string{verb};
  call.body = msg::to_wire(told);
  call.deadline = registry_deadline - std::chrono::seconds{1};
  ask<link_actor>(self, self->state.context, "link"_name, registry_deadline,
                  std::move(call))
    .then([take](const msg::wire_reply& reply) mutable { take(reply.body); },
          [fail](const caf::error& why) mutable { fail(why); });
}

template <class Told>
caf::result<std::uint64_t>
tell_numbered(self_pointer self, std::string_view verb, const Told& told) {
  auto promise = self->make_response_promise<std::uint64_t>();
  tell_hub(
    self, verb, told,
    [promise](const std::string& body) mutable {
      std::uint64_t seq = 0;
      std::from_chars(body.data(), body.data() + body.size(), seq);
      promise.deliver(seq);
    },
    [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

} // namespace

uplink_actor::behavior_type node_uplink(self_pointer self,
                                        node_context context) {
  harden(self, context);
  self->state.context = std::move(context);
  return {
    [self](const msg::ensure_order& order) {
      return pass_to_runner(self, order.spec.session, order);
    },
    [self](const msg::stop_order& order) {
      return pass_to_runner(self, order.session, order);
    },
    [self](const msg::publish_order& order) {
      return pass_to_runner(self, order.session, order);
    },
    [self](const msg::work_seen& news) {
      tell_hub(
        self, msg::verb::work, news, [](const std::string&) {},
        [](const caf::error&) {
          // Told again at the next look.
        });
    },
    [self](const msg::node_report& told) {
      return tell_numbered(self, msg::verb::tell, told);
    },
    [self](const msg::deliver_message& order) {
      return pass_to_runner(self, order.session, order);
    },
    [self](const msg::inspect_worktree& asked) {
      return inspect_here(self, asked);
    },
    [self](const msg::message_report& report) -> caf::result<message_id> {
      auto promise = self->make_response_promise<message_id>();
      tell_hub(
        self, msg::verb::mail, report,
        [promise](const std::string& id) mutable {
          promise.deliver(message_id{id});
        },
        [promise](const caf::error& why) mutable { promise.deliver(why); });
      return promise;
    },
    [self](const msg::session_report& report) {
      return tell_numbered(self, msg::verb::report, report);
    },
  };
}

} // namespace ao
