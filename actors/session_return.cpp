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

/// Its claim, unless that was given back.
row_ptr<claim> own_claim(self_pointer self) {
  const auto& row = row_of(self);
  auto held = self->state.context->rows->held_claim(row.subject);
  return held && held->session == row.id ? held : nullptr;
}

/// Asks the FORGE where the branch of the session is now.
template <class Then, class Fail>
void find_head_of(self_pointer self, Then then, Fail fail) {
  const auto& row = row_of(self);
  ask<forge_actor>(self, self->state.context,
                   make_actor_name("forge", row.project.text),
                   registry_deadline, msg::find_head{row.branch})
    .then([then](const msg::found_head& found) mutable { then(found.sha); },
          [fail](const caf::error& why) mutable { fail(why); });
}

/// Its node may come back with what it has of it.
bool lost_its_node(self_pointer self) {
  const auto& row = row_of(self);
  auto node = self->state.context->rows->find<cluster_node>(row.node.text);
  return row.runtime == runtime_state::lost
    || (row.runtime == runtime_state::queued && node
        && node->link == node_link::lost);
}

/// It has ended while its claim was granted anew: its task waits for a person,
/// as after any kill.
void give_up_task(self_pointer self, const claim& granted) {
  self->state.regranting = false;
  const auto& row = row_of(self);
  msg::move_task order;
  order.task = row.task;
  order.epoch = granted.epoch;
  order.to = task_state::parked;
  order.why = row.id.text + " has ended: " + row.end_reason;
  order.actor = "session/" + row.id.text;
  ask<registry_actor>(self, self->state.context, "registry"_name,
                      registry_deadline, order)
    .then([](const task&) {},
          [self](const caf::error& why) {
            self->state.context->say(log_level::error,
                                     "task_not_given_up session="
                                       + row_of(self).id.text + " reason=\""
                                       + to_string(to_ao_error(why)) + "\"");
          });
}

} // namespace

void restore_under(self_pointer self, const claim& granted,
                   resume_reason reason,
                   std::function<void(result<session>)> answer) {
  const auto& row = row_of(self);
  restore_session order{granted.epoch, row.node, reason, {}};
  auto go_on = [self, answer](restore_session order) {
    self->state.regranting = false;
    submit(self, std::move(order), answer);
  };
  if (is_reconciled(row)) {
    order.node = row.left->node;
    order.reason = resume_reason::hub;
    return go_on(std::move(order));
  }
  if (!lost_its_node(self) || row.branch.empty())
    return go_on(std::move(order));
  find_head_of(
    self,
    [order, go_on](const std::string& head) mutable {
      order.lost_at = head;
      go_on(order);
    },
    [self, order, go_on](const caf::error& why) {
      // What its node has is parked then when it is back.
      self->state.context->say(log_level::warn,
                               "head_not_found session=" + row_of(self).id.text
                                 + " reason=\"" + to_string(to_ao_error(why))
                                 + "\"");
      go_on(order);
    });
}

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

void take_work_back(self_pointer self) {
  auto& st = self->state;
  const auto& row = row_of(self);
  if (!is_reconciled(row) || st.regranting)
    return;
  auto held = own_claim(self);
  if (!held)
    return submit(self, work_compared{{}, {}, false});
  st.regranting = true;
  // It was granted by an earlier life of ours.
  if (held->epoch > row.epoch)
    return restore_under(self, *held, resume_reason::hub, {});
  msg::regrant_claim again;
  again.request
    = request_id{"take-back/" + row.id.text + "/" + std::to_string(row.epoch)};
  again.subject = row.subject;
  again.session = row.id;
  again.node = row.left->node;
  again.why = "gone back to " + row.left->node.text;
  ask<registry_actor>(self, st.context, "registry"_name, registry_deadline,
                      again)
    .then(
      [self](const claim& granted) {
        if (is_terminal(row_of(self)))
          return give_up_task(self, granted);
        restore_under(self, granted, resume_reason::hub, {});
      },
      [self,
       later = try_later(self, "work_not_taken_back")](const caf::error& why) {
        self->state.regranting = false;
        later(why);
      });
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
