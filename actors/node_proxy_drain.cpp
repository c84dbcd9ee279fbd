#include "actors/ask_child.hpp"
#include "actors/node_proxy_parts.hpp"
#include "actors/record_once.hpp"
#include "runtime/rules/reconcile.hpp"

/// How sessions leave a node: with its drain, or as others have their tasks.
namespace ao::node_proxy_parts {
namespace {

std::vector<row_ptr<session>> left_there(self_pointer self) {
  auto out = sessions_of(self);
  out.erase(std::remove_if(out.begin(), out.end(),
                           [](const auto& s) { return !holds_node(*s); }),
            out.end());
  return out;
}

void say_drained(self_pointer self) {
  decide_row(self,
             [self](const cluster_node& row) -> std::optional<store_write> {
               if (row.order != node_order::draining || row.drained_at
                   || !left_there(self).empty())
                 return std::nullopt;
               auto next = row;
               next.drained_at = self->state.context.now();
               return row_write(self, std::move(next), event_kind::node_drained,
                                "drained: none of its sessions is left");
             });
}

void order_move(self_pointer self, const session& s) {
  const auto& st = self->state;
  msg::session_order order{
    msg::session_order::kind::move,
    request_id{"drain/" + s.id.text + "/" + std::to_string(s.epoch)},
    "node-proxy/" + st.node.text};
  ask_child<session_actor>(
    self, st.context, "sessions"_name, make_actor_name("session", s.id.text),
    registry_deadline, order, [](const session&) {},
    [self, id = s.id](const caf::error& why) {
      self->state.context.say(log_level::warn,
                              "not_moved session=" + id.text + " reason=\""
                                + to_string(to_ao_error(why)) + "\"");
      arm(self, self->clock().now() + retry_pause);
    });
}

/// What is left there is parked; once nothing of it runs its work is put under
/// a ref, and it goes elsewhere.
void move_away(self_pointer self, const session& s) {
  auto rests
    = s.runtime == runtime_state::parked && s.agent_pid == 0 && s.shim_pid == 0;
  auto& st = self->state;
  if (!rests || st.peer == nullptr)
    return order_move(self, s);
  call_node(
    self, msg::verb::stop,
    msg::to_wire(msg::stop_order{s.id, s.epoch, s.run, msg::stop_how::park}))
    .then([self, s](const msg::wire_reply&) { order_move(self, s); },
          [self, s](const caf::error&) { order_move(self, s); });
}

} // namespace

void look_at_drain(self_pointer self) {
  auto& st = self->state;
  auto row = row_of(self);
  if (!row || row->order != node_order::draining || row->drained_at)
    return;
  auto left = left_there(self);
  if (left.empty())
    return say_drained(self);
  if (!row->drain_until)
    return;
  auto now = st.context.now();
  if (now < *row->drain_until)
    return arm(self, self->clock().now() + (*row->drain_until - now));
  for (const auto& s : left) {
    auto held = st.context.rows->held_claim(s->subject);
    // One that waits under a new grant goes as soon as there is a place.
    auto leaves = s->runtime == runtime_state::queued && held
      && held->since >= *row->drain_until;
    if (s->runtime != runtime_state::lost && !leaves)
      move_away(self, *s);
  }
}

namespace {

/// Nothing runs there any more of what another may have by now: its SESSION
/// decides whose work counts.
void tell_found(self_pointer self, const msg::session_report& told,
                reply_promise promise) {
  const auto& st = self->state;
  const auto& end = std::get<msg::fact::stopped>(told.what);
  auto found = told;
  found.what = msg::fact::work_found{st.node, end.worktree};
  ask_child<session_actor>(
    self, st.context, "sessions"_name,
    make_actor_name("session", told.session.text), registry_deadline, found,
    [promise](std::uint64_t seq) mutable {
      promise.deliver(msg::wire_reply{std::to_string(seq), {}});
    },
    [promise](const caf::error& why) mutable { promise.deliver(why); });
}

/// What has lost was ended without being parked: it was not known to have lost
/// then.
void park_loser(self_pointer self, const msg::session_report& told) {
  call_node(self, msg::verb::stop,
            msg::to_wire(msg::stop_order{told.session, told.epoch, told.run,
                                         msg::stop_how::park}))
    .then([](const msg::wire_reply&) {},
          [](const caf::error&) {
            // Named again by its next hello.
          });
}

} // namespace

bool take_parting(self_pointer self, const msg::session_report& told,
                  reply_promise promise) {
  const auto* end = std::get_if<msg::fact::stopped>(&told.what);
  if (end == nullptr)
    return false;
  const auto& st = self->state;
  auto row = st.context.rows->find<session>(told.session.text);
  auto whose = standing_of(st.node, told.epoch, told.run, row.get());
  // Its SESSION has to know, and puts on record what was parked.
  if (whose == held_as::own)
    return false;
  auto ref = parked_ref_in(end->rescued);
  if (whose == held_as::left && !end->removed && end->kept.empty()) {
    tell_found(self, told, promise);
    return true;
  }
  auto heard = [promise]() mutable {
    promise.deliver(msg::wire_reply{"0", {}});
  };
  // The node keeps its word until it is on record.
  if (!ref.empty()) {
    record_once(self, st.context, disowned_key(told.session, told.epoch, ref),
                disowned_event(told.session, told.epoch, st.node, ref,
                               row.get(), st.context.now()),
                heard, [promise](const caf::error& why) mutable {
                  promise.deliver(why);
                });
    return true;
  }
  if (!end->removed && end->kept.empty() && st.peer != nullptr)
    park_loser(self, told);
  heard();
  return true;
}

} // namespace ao::node_proxy_parts
