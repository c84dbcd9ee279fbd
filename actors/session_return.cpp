#include "actors/record_once.hpp"
#include "actors/session_parts.hpp"
#include "actors/uplink_name.hpp"
#include "runtime/actor/deliver.hpp"
#include "runtime/rules/reconcile.hpp"

/// A node that was lost is back, and has what the session had left there.
namespace ao::session_parts {
namespace {

/// Why the node that has the original gets no work; empty = it does.
std::string why_closed(self_pointer self, const node_name& node) {
  auto row = self->state.context->rows->find<cluster_node>(node.text);
  if (!row)
    return "unknown";
  // One that is silent for a moment is not gone.
  auto there = row->link == node_link::alive || row->link == node_link::suspect;
  if (row->order == node_order::open && there)
    return {};
  return std::string{state_of(*row)};
}

} // namespace

caf::result<std::uint64_t> take_found_work(self_pointer self,
                                           const msg::session_report& told) {
  auto promise = self->make_response_promise<std::uint64_t>();
  const auto& there = std::get<msg::fact::work_found>(told.what);
  original_back back{there.node, told.epoch, told.run, there.worktree, {}, {}};
  find_head_of(
    self,
    [self, promise, back, seq = told.seq](const std::string& head) mutable {
      back.head = head;
      back.closed = why_closed(self, back.node);
      submit(self, std::move(back),
             delivering(promise, [seq](const session&) { return seq; }));
    },
    [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

void compare_works(self_pointer self) {
  find_head_of(
    self,
    [self](const std::string& head) {
      const auto& row = row_of(self);
      if (row.left)
        submit(self,
               work_compared{head, why_closed(self, row.left->node),
                             own_claim(self) != nullptr});
    },
    try_later(self, "works_not_compared"));
}

void disown(self_pointer self, const disown_run& what) {
  const auto& row = row_of(self);
  ask<uplink_actor>(
    self, self->state.context, uplink_of(what.node), registry_deadline,
    msg::stop_order{row.id, what.epoch, what.run, msg::stop_how::park})
    .then([](const session_id&) {},
          [self, node = what.node](const caf::error& why) {
            // Its next hello has it named among those that have lost.
            self->state.context->say(log_level::warn,
                                     "original_not_parked session="
                                       + row_of(self).id.text
                                       + " node=" + node.text + " reason=\""
                                       + to_string(to_ao_error(why)) + "\"");
          });
}

void note_parted(self_pointer self, const msg::session_report& told,
                 std::function<void()> then,
                 std::function<void(const caf::error&)> otherwise) {
  const auto* end = std::get_if<msg::fact::stopped>(&told.what);
  auto ref = end == nullptr ? std::string{} : parked_ref_in(end->rescued);
  if (ref.empty())
    return then();
  const auto& context = *self->state.context;
  const auto& row = row_of(self);
  record_once(
    self, context, disowned_key(row.id, told.epoch, ref),
    disowned_event(row.id, told.epoch, row.node, ref, &row, context.now()),
    std::move(then), std::move(otherwise));
}

} // namespace ao::session_parts
