#include "actors/session_parts.hpp"
#include "runtime/rules/reconcile.hpp"

/// A session goes on under a new grant of its claim. From the moment in which
/// that is wanted until it is its own, nothing else is decided: what is
/// reported of the run under the former grant is stale then, and must not lead
/// to a run whose pushes are refused.
///
///   wanted --its turn--> REGISTRY grants --> its head at the FORGE --> restore
///              |            |                                            |
///              |refused     |no answer                      not durable  |
///              +--> answer  +--> answer; a look goes on with it, if <----+
///                                it is found to be granted
namespace ao::session_parts {
namespace {

/// What waits is decided again.
void let_go(self_pointer self) {
  self->state.regranting = false;
  work(self);
}

/// Its node may come back with what it has of it.
bool lost_its_node(self_pointer self) {
  const auto& row = row_of(self);
  auto node = self->state.context->rows->find<cluster_node>(row.node.text);
  return row.runtime == runtime_state::lost
    || (row.runtime == runtime_state::queued && node
        && node->link == node_link::lost);
}

/// Why it cannot go on under this grant; nothing = it can.
std::optional<error> objection(self_pointer self,
                               const restore_session& order) {
  return try_out(self, order).refused;
}

/// Before all that waits.
void restore_first(self_pointer self, restore_session order,
                   std::function<void(result<session>)> answer) {
  line_up_first(self->state.turns,
                {std::move(order), [self, answer](const result<session>& done) {
                   if (!done)
                     look_later(self, retry_delay);
                   if (answer)
                     answer(done);
                 }});
  let_go(self);
}

/// When its node is lost the forge is asked first what was delivered until
/// then.
void go_on_under(self_pointer self, restore_session order,
                 std::function<void(result<session>)> answer) {
  const auto& row = row_of(self);
  if (is_reconciled(row) || !lost_its_node(self) || row.branch.empty())
    return restore_first(self, std::move(order), std::move(answer));
  find_head_of(
    self,
    [self, order, answer](const std::string& head) mutable {
      order.lost_at = head;
      restore_first(self, std::move(order), answer);
    },
    [self, order, answer](const caf::error& why) {
      // What its node has is parked then when it is back.
      self->state.context->say(log_level::warn,
                               "head_not_found session=" + row_of(self).id.text
                                 + " reason=\"" + to_string(to_ao_error(why))
                                 + "\"");
      restore_first(self, order, answer);
    });
}

void ask_grant(self_pointer self, const wanted_grant& wanted) {
  const auto& row = row_of(self);
  restore_session order{row.epoch + 1, wanted.node, wanted.reason, {}};
  if (auto why = objection(self, order)) {
    if (wanted.answer)
      wanted.answer(fail(*why));
    return let_go(self);
  }
  msg::regrant_claim again;
  again.request = wanted.request;
  again.subject = row.subject;
  again.session = row.id;
  again.node = wanted.node;
  again.why = wanted.why;
  ask<registry_actor>(self, *self->state.context, "registry"_name,
                      registry_deadline, again)
    .then(
      [self, order, answer = wanted.answer](const claim& granted) mutable {
        order.epoch = granted.epoch;
        go_on_under(self, std::move(order), std::move(answer));
      },
      [self, answer = wanted.answer](const caf::error& why) {
        // It may be granted all the same.
        look_later(self, retry_delay);
        if (answer)
          answer(fail(to_ao_error(why)));
        let_go(self);
      });
}

} // namespace

void want_grant(self_pointer self, wanted_grant wanted) {
  auto& st = self->state;
  st.regranting = true;
  st.wanted = std::move(wanted);
}

bool hold_for_grant(self_pointer self) {
  auto& st = self->state;
  if (st.regranting && st.wanted && !st.turns.writing && !st.turns.stalled)
    ask_grant(self, *std::exchange(st.wanted, {}));
  return st.regranting;
}

void finish_regrant(self_pointer self) {
  auto& st = self->state;
  const auto& row = row_of(self);
  auto held = own_claim(self);
  if (!held || held->epoch <= row.epoch || st.regranting)
    return;
  restore_session order{held->epoch, row.node, resume_reason::restore, {}};
  if (is_reconciled(row)) {
    order.node = row.left->node;
    order.reason = resume_reason::hub;
  }
  auto why = objection(self, order);
  if (!why) {
    st.regranting = true;
    return go_on_under(self, std::move(order), {});
  }
  if (why->code != ec::wrong_state || is_terminal(row) || is_reconciled(row))
    return;
  // What works there has no claim any more.
  submit(self, park_session{"its claim was granted anew", true});
  look_later(self, retry_delay);
}

void take_work_back(self_pointer self) {
  auto& st = self->state;
  const auto& row = row_of(self);
  if (!is_reconciled(row) || st.regranting)
    return;
  auto held = own_claim(self);
  if (!held)
    return submit(self, work_compared{{}, {}, false});
  // It was granted by an earlier life of ours.
  if (held->epoch > row.epoch)
    return finish_regrant(self);
  want_grant(
    self,
    {request_id{"take-back/" + row.id.text + "/" + std::to_string(row.epoch)},
     row.left->node,
     "gone back to " + row.left->node.text,
     resume_reason::hub,
     {}});
}

} // namespace ao::session_parts
