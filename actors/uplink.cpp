#include "actors/uplink.hpp"

#include "actors/inspect_worktree.hpp"
#include "actors/node_record.hpp"
#include "actors/reported_session.hpp"
#include "actors/to_runner.hpp"
#include "messages/interfaces/forge.hpp"
#include "messages/interfaces/store.hpp"
#include "runtime/actor/harden.hpp"

namespace ao {
namespace {

using self_pointer = uplink_actor::stateful_pointer<uplink_state>;

caf::result<std::uint64_t> record(self_pointer self,
                                  const msg::node_report& told) {
  auto promise = self->make_response_promise<std::uint64_t>();
  const auto& context = self->state.context;
  record_node_report(self, context, context.node, told, promise);
  return promise;
}

} // namespace

uplink_actor::behavior_type uplink(self_pointer self, node_context context) {
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
      tell<overlaps_actor>(self->state.context,
                           make_actor_name("overlaps", news.project.text),
                           news);
    },
    [self](const msg::node_report& told) { return record(self, told); },
    [self](const msg::deliver_message& order) {
      return pass_to_runner(self, order.session, order);
    },
    [self](const msg::inspect_worktree& asked) {
      return inspect_here(self, asked);
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
      auto row = reported_session(*self->state.context.rows, report.session);
      if (!row)
        return make_error(row.error());
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
