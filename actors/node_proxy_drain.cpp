#include "actors/ask_child.hpp"
#include "actors/node_proxy_parts.hpp"
#include "actors/record_once.hpp"
#include "runtime/rules/event_data.hpp"
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
      self->delayed_send(self, retry_pause, look_atom::value);
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

bool is_parting(self_pointer self, const msg::session_report& told) {
  const auto* end = std::get_if<msg::fact::stopped>(&told.what);
  if (end == nullptr)
    return false;
  const auto& st = self->state;
  auto row = st.context.rows->find<session>(told.session.text);
  std::string ref;
  for (const auto& kept : end->rescued)
    if (is_parked_ref(kept))
      ref = kept;
  if (!ref.empty()) {
    event_data data;
    data.with("session", told.session).with("node", st.node).with("ref", ref);
    if (row)
      data.with("project", row->project).with("task", row->task);
    data.with("reason",
              (row ? told.session.text + " went on under epoch "
                   + std::to_string(row->epoch)
                   : "the hub does not know " + told.session.text)
                + "; its work here is kept as " + ref);
    record_once(self, st.context,
                "disowned/" + told.session.text + "/"
                  + std::to_string(told.epoch) + "/" + ref,
                make_event(event_kind::session_disowned, st.context.now(),
                           subject_of(told.session), "node/" + st.node.text,
                           told.epoch, data));
  }
  // Its SESSION has nothing to learn from it.
  return has_lost(st.node, told.epoch, told.run, row.get());
}

} // namespace ao::node_proxy_parts
