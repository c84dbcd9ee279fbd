#include "actors/node_proxy.hpp"

#include "actors/ask_child.hpp"
#include "actors/node_proxy_parts.hpp"
#include "actors/node_record.hpp"
#include "actors/reported_session.hpp"
#include "messages/protocol.hpp"
#include "runtime/actor/deliver.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/agents/readiness.hpp"
#include "runtime/cluster/credential.hpp"
#include "runtime/cluster/node_settings.hpp"
#include "runtime/cluster/renewal.hpp"
#include "runtime/rules/breakers.hpp"
#include "runtime/rules/event_data.hpp"
#include "runtime/rules/node_facts.hpp"

#include <algorithm>
#include <stdexcept>

namespace ao {
namespace node_proxy_parts {

namespace {

void work(self_pointer self);

} // namespace

row_ptr<cluster_node> row_of(self_pointer self) {
  const auto& st = self->state;
  return st.context.rows->find<cluster_node>(st.node.text);
}

std::vector<row_ptr<session>> sessions_of(self_pointer self) {
  const auto& st = self->state;
  std::vector<row_ptr<session>> out;
  for (const auto& s : st.context.rows->all<session>())
    if (s->node == st.node && s->run > 0 && s->role != session_role::manual
        && (!is_terminal(*s) || !s->cleaned))
      out.push_back(s);
  return out;
}

void decide_row(
  self_pointer self,
  std::function<std::optional<store_write>(const cluster_node&)> decide,
  std::function<void(result<cluster_node>)> answer) {
  line_up(self->state.turns, {std::move(decide), std::move(answer)});
  work(self);
}

store_write row_write(self_pointer self, cluster_node next, event_kind kind,
                      const std::string& why, const std::string& actor) {
  auto& st = self->state;
  next.version += 1;
  next.updated_at = st.context.now();
  next.why = why;
  if (st.heard_at)
    next.heard_at = st.heard_at;
  store_write write;
  write.events
    = {make_event(kind, next.updated_at, subject_of(next.name), actor, 0,
                  event_data{}
                    .with("node", next.name)
                    .with("reason", why)
                    .with_value("sessions", sessions_of(self).size()))};
  write.rows = {std::move(next)};
  return write;
}

cluster_times times_of(const settings& all) {
  return {all.cluster.heartbeat, all.cluster.suspect_after,
          all.cluster.lost_after, all.cluster.lease};
}

void show(self_pointer self) {
  auto& st = self->state;
  node_board::entry e;
  e.now = st.member;
  e.connected = st.peer != nullptr;
  e.heard_at = st.heard_at;
  if (auto row = row_of(self); row && st.peer == nullptr
      && row->order != node_order::revoked
      && row->certified_until < st.context.now())
    e.closed = expiry_text(row->name, row->certified_until);
  else if (in_quarantine(st.record, self->clock().now())) {
    e.closed = "quarantined, as several tasks have failed there";
    e.closed_for_new_only = true;
  } else if (!st.facts
             && (st.peer != nullptr || st.member.link == node_link::joining))
    e.closed = "yet to tell which agents can start there";
  e.facts = st.facts;
  st.context.nodes->put(st.node, std::move(e));
  if (!is_reachable(self))
    ask_what_waits(self);
}

void ask_what_waits(self_pointer self) {
  if (self->state.peer != nullptr) {
    ask_for_output(self);
    ask_for_terminals(self);
  } else {
    refuse_output(self);
    refuse_terminals(self);
  }
}

void arm(self_pointer self, std::optional<mono_time> at) {
  if (at)
    self->state.alarm.by(self, *at + milliseconds{1});
}

namespace {

void record_link(self_pointer self, event_kind kind, std::string why,
                 std::function<void()> then = {}) {
  auto link = self->state.member.link;
  decide_row(
    self,
    [self, link, kind,
     why](const cluster_node& row) -> std::optional<store_write> {
      if (row.link == link)
        return std::nullopt;
      auto next = row;
      next.link = link;
      return row_write(self, std::move(next), kind, why);
    },
    [then](const result<cluster_node>&) {
      if (then)
        then();
    });
}

} // namespace

void note_disturbance(self_pointer self) {
  std::set<std::tuple<std::string, epoch_no, run_no>> now;
  const auto& before = self->state.disturbed;
  for (const auto& s : sessions_of(self)) {
    std::tuple key{s->id.text, s->epoch, s->run};
    auto begins = s->runtime == runtime_state::provisioning
      || s->runtime == runtime_state::starting
      || s->runtime == runtime_state::lost;
    if (begins || before.count(key) != 0)
      now.insert(std::move(key));
  }
  self->state.disturbed = std::move(now);
}

void adopt(self_pointer self, const membership_step& step,
           const std::string& why) {
  auto& st = self->state;
  st.member = step.next;
  if (step.news != membership_news::none)
    note_disturbance(self);
  show(self);
  arm(self, step.look_at);
  switch (step.news) {
  case membership_news::suspect:
    return record_link(self, event_kind::node_suspect, why);
  case membership_news::lost:
    st.context.say(log_level::error, "node_lost node=" + st.node.text);
    st.peer = nullptr;
    show(self);
    return record_link(self, event_kind::node_lost, why, [self, why] {
      tell_people(self, true);
      tell_sessions(
        self,
        msg::fact::node_lost{"node " + self->state.node.text + " is lost"});
    });
  case membership_news::left:
    return record_link(self, event_kind::node_left, why);
  case membership_news::returned:
    return record_link(self, event_kind::node_returned, why);
  default:
    return;
  }
}

namespace {

// -- its row ------------------------------------------------------------------

void work(self_pointer self) {
  auto& st = self->state;
  while (has_turn(st.turns)) {
    auto turn = next_turn(st.turns);
    auto row = row_of(self);
    if (!row)
      return self->quit(make_error(ec::no_such_node, st.node.text));
    auto write = turn.decide(*row);
    if (!write) {
      if (turn.answer)
        turn.answer(*row);
      continue;
    }
    write_in_turn(
      self, st.context, st.turns, std::move(*write), turn,
      [self, turn](const store_written&) {
        if (turn.answer)
          turn.answer(*row_of(self));
      },
      [self] { work(self); });
  }
}

// -- membership ---------------------------------------------------------------

void look(self_pointer self) {
  auto& st = self->state;
  auto now = self->clock().now();
  st.alarm.came(now);
  auto step = look_at(st.member, times_of(*st.context.config), now);
  adopt(self, step,
        step.news == membership_news::none ? ""
                                           : "nothing was heard of it for "
            + format_duration(std::chrono::duration_cast<milliseconds>(
              now - st.member.heard.value_or(now))));
  if (may_regrant(st.member, now))
    replace_sessions(self);
  tell_people(self);
  look_at_drain(self);
  look_at_expiry(self);
}

// -- what the node says -------------------------------------------------------

result<void> check_speaker(self_pointer self, const msg::node_calls& asked) {
  const auto& st = self->state;
  auto row = row_of(self);
  if (row && row->order == node_order::revoked)
    return fail(ec::node_revoked, st.node.text + " was revoked");
  auto known = asked.from && asked.from->node() == st.process;
  // It was greeted, and has been silent since: no stranger, and what it wants
  // passes as soon as it has said hello again.
  if (known && st.peer == nullptr)
    return fail(asked.call.verb == msg::verb::beat ? ec::wrong_state
                                                   : ec::not_reachable,
                "say hello first");
  if (!known)
    return fail(ec::not_allowed, "say hello first");
  if (asked.call.incarnation != st.member.incarnation)
    return fail(ec::stale_incarnation,
                "life " + std::to_string(asked.call.incarnation) + " is over");
  return {};
}

/// A node speaks for the sessions that are its own.
result<void> check_session(self_pointer self, const session_id& id) {
  const auto& st = self->state;
  auto row = reported_session(*st.context.rows, id);
  if (!row)
    return fail(row.error());
  if ((*row)->node != st.node)
    return fail(ec::stale_epoch,
                id.text + " is on node " + (*row)->node.text + " by now");
  return {};
}

void take_beat(self_pointer self, const msg::wire_call& call,
               reply_promise promise) {
  auto& st = self->state;
  auto step = hear_beat(st.member, call.incarnation,
                        times_of(*st.context.config), self->clock().now());
  if (step.refused)
    return refuse(promise, *step.refused);
  st.heard_at = st.context.now();
  adopt(self, step, "it is heard again");
  promise.deliver(msg::wire_reply{"{}", {}});
}

void take_leave(self_pointer self, const msg::wire_call& call,
                reply_promise promise) {
  auto& st = self->state;
  auto step = hear_leave(st.member, call.incarnation, self->clock().now());
  if (step.refused)
    return refuse(promise, *step.refused);
  st.peer = nullptr;
  adopt(self, step, "it has said that it ends; its agents go on");
  promise.deliver(msg::wire_reply{"{}", {}});
}

/// An agent that has failed there for what it is: the node looks at it anew,
/// and until then gets no other of its kind.
void look_at_login(self_pointer self, const msg::session_report& told) {
  auto& st = self->state;
  auto s = st.context.rows->find<session>(told.session.text);
  const auto* failed = std::get_if<msg::fact::provision_failed>(&told.what);
  const auto* ended = std::get_if<msg::fact::agent_exited>(&told.what);
  auto refused = failed != nullptr && failed->why.code == ec::agent_not_ready;
  auto logged_out = ended != nullptr && ended->how.failure == auth_failure;
  if (!s || st.peer == nullptr || (!refused && !logged_out))
    return;
  if (refused && st.facts)
    st.facts = with_unready(
      std::move(*st.facts),
      {s->agent, is_login_lost(failed->why), failed->why.context});
  show(self);
  call_node(self, msg::verb::look, "{}")
    .then([](const msg::wire_reply&) {},
          [](const caf::error&) {
            // It looks by itself, too, only later.
          });
}

void take_report(self_pointer self, const msg::wire_call& call,
                 reply_promise promise) {
  auto& st = self->state;
  auto told = msg::read_wire<msg::session_report>(call.body);
  if (!told)
    return refuse(promise, told.error());
  if (take_parting(self, *told, promise))
    return;
  if (auto ok = check_session(self, told->session); !ok)
    return refuse(promise, ok.error());
  if (const auto* failed
      = std::get_if<msg::fact::provision_failed>(&told->what)) {
    auto s = st.context.rows->find<session>(told->session.text);
    std::tuple run{told->session.text, told->epoch, told->run};
    auto disturbed = st.disturbed.erase(run) != 0;
    if (s && !disturbed && failed->why.code != ec::agent_not_ready)
      st.record = note_failure(st.record, s->task, self->clock().now());
    show(self);
    look_at_login(self, *told);
  } else if (std::holds_alternative<msg::fact::agent_alive>(told->what)) {
    st.record = note_success(st.record);
  } else {
    look_at_login(self, *told);
  }
  ask_child<session_actor>(
    self, st.context, "sessions"_name,
    make_actor_name("session", told->session.text), registry_deadline, *told,
    [self, promise](std::uint64_t seq) mutable {
      promise.deliver(msg::wire_reply{std::to_string(seq), {}});
      look_at_drain(self);
    },
    [promise](const caf::error& why) mutable { promise.deliver(why); });
}

void take_facts(self_pointer self, const msg::wire_call& call,
                reply_promise promise) {
  auto& st = self->state;
  auto told = msg::read_wire<msg::node_facts>(call.body);
  if (!told)
    return refuse(promise, told.error());
  st.facts = std::move(*told);
  show(self);
  promise.deliver(msg::wire_reply{"{}", {}});
  tell<dispatcher_actor>(st.context, "dispatcher"_name, look_atom{});
}

void take_mail(self_pointer self, const msg::wire_call& call,
               reply_promise promise) {
  auto& st = self->state;
  auto told = msg::read_wire<msg::message_report>(call.body);
  if (!told)
    return refuse(promise, told.error());
  if (auto ok = check_session(self, told->session); !ok)
    return refuse(promise, ok.error());
  ask<mailbox_actor>(self, st.context,
                     make_actor_name("mailbox", told->session.text),
                     registry_deadline, *told)
    .then(
      [promise](const message_id& id) mutable {
        promise.deliver(msg::wire_reply{id.text, {}});
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
}

void take_work(self_pointer self, const msg::wire_call& call,
               reply_promise promise) {
  auto told = msg::read_wire<msg::work_seen>(call.body);
  if (!told)
    return refuse(promise, told.error());
  if (auto ok = check_session(self, told->session); !ok)
    return refuse(promise, ok.error());
  tell<overlaps_actor>(self->state.context,
                       make_actor_name("overlaps", told->project.text), *told);
  promise.deliver(msg::wire_reply{"{}", {}});
}

void take_news(self_pointer self, const msg::wire_call& call,
               reply_promise promise) {
  auto& st = self->state;
  auto told = msg::read_wire<msg::node_report>(call.body);
  if (!told)
    return refuse(promise, told.error());
  // A node tells what it has found, nothing else.
  if (told->kind != event_kind::terminal_lost
      && told->kind != event_kind::ghost_found
      && told->kind != event_kind::foreign_found)
    return refuse(promise, {ec::not_allowed, "a node does not record that"});
  // The seq of the event is of no use to a node.
  record_node_report(self, st.context, st.node, *told,
                     self->make_response_promise<std::uint64_t>());
  promise.deliver(msg::wire_reply{"0", {}});
}

caf::result<msg::wire_reply> hear(self_pointer self,
                                  const msg::node_calls& asked) {
  const auto& call = asked.call;
  if (call.verb == msg::verb::hello)
    return greet(self, asked);
  if (call.verb == msg::verb::seen)
    return take_seen(self, asked);
  if (auto ok = check_speaker(self, asked); !ok)
    return make_error(ok.error());
  struct verb_row {
    std::string_view verb;
    void (*take)(self_pointer, const msg::wire_call&, reply_promise);
  };
  static constexpr verb_row verbs[]
    = {{msg::verb::beat, take_beat},       {msg::verb::leave, take_leave},
       {msg::verb::report, take_report},   {msg::verb::mail, take_mail},
       {msg::verb::work, take_work},       {msg::verb::tell, take_news},
       {msg::verb::http, pass_request},    {msg::verb::fetch, serve_fetch},
       {msg::verb::push, take_push},       {msg::verb::renew, take_renewal},
       {msg::verb::renewed, take_renewed}, {msg::verb::facts, take_facts}};
  for (const auto& row : verbs)
    if (row.verb == call.verb) {
      auto promise = self->make_response_promise<msg::wire_reply>();
      row.take(self, call, promise);
      return promise;
    }
  for (auto ours : {msg::verb::ensure, msg::verb::stop, msg::verb::publish,
                    msg::verb::deliver, msg::verb::output, msg::verb::terminal,
                    msg::verb::worktree})
    if (ours == call.verb)
      return make_error(ec::not_allowed,
                        "only the hub says " + call.verb + " to a node");
  return make_error(ec::bad_input, "unknown verb " + call.verb);
}

// -- what the node is told ----------------------------------------------------

template <class Order>
caf::result<session_id> order(self_pointer self, std::string_view verb,
                              const session_id& session, const Order& what) {
  auto& st = self->state;
  if (st.peer == nullptr)
    return make_error(ec::not_reachable,
                      "node " + st.node.text + " is not connected");
  auto promise = self->make_response_promise<session_id>();
  call_node(self, verb, msg::to_wire(what))
    .then([promise, session](
            const msg::wire_reply&) mutable { promise.deliver(session); },
          [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

caf::result<worktree_facts> pass_inspection(self_pointer self,
                                            const msg::inspect_worktree& what) {
  auto& st = self->state;
  if (st.peer == nullptr)
    return make_error(ec::not_reachable,
                      "node " + st.node.text + " is not connected");
  auto promise = self->make_response_promise<worktree_facts>();
  call_node(self, msg::verb::worktree, msg::to_wire(what))
    .then(
      [promise](const msg::wire_reply& reply) mutable {
        auto facts = msg::read_wire<worktree_facts>(reply.body);
        if (facts)
          promise.deliver(std::move(*facts));
        else
          promise.deliver(make_error(facts.error()));
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

struct order_words {
  node_order to;
  event_kind kind;
  const char* why;
};

constexpr order_words orders[]
  = {{node_order::open, event_kind::node_uncordoned, "takes work again"},
     {node_order::cordoned, event_kind::node_cordoned, "takes no new work"},
     {node_order::draining, event_kind::node_draining,
      "takes no new work, and its sessions end there"},
     {node_order::revoked, event_kind::node_revoked, "may not come back"}};

caf::result<cluster_node> obey(self_pointer self, const msg::order_node& what) {
  auto promise = self->make_response_promise<cluster_node>();
  auto row = row_of(self);
  if (row->order == node_order::revoked && what.to != node_order::revoked)
    return make_error(ec::node_revoked,
                      self->state.node.text
                        + " was revoked; it has to join anew");
  const auto& words
    = *std::find_if(std::begin(orders), std::end(orders),
                    [&what](const auto& o) { return o.to == what.to; });
  decide_row(
    self,
    [self, what,
     &words](const cluster_node& row) -> std::optional<store_write> {
      auto next = row;
      next.order = what.to;
      next.drain_until.reset();
      if (what.deadline)
        next.drain_until = self->state.context.now() + *what.deadline;
      // A drain may be hurried; else it is so already.
      if (row.order == what.to && !what.deadline)
        return std::nullopt;
      next.drained_at.reset();
      return row_write(self, std::move(next), words.kind, words.why,
                       what.actor);
    },
    [self, promise, what](const result<cluster_node>& done) mutable {
      if (!done) {
        promise.deliver(make_error(done.error()));
        return;
      }
      // From now on nobody speaks for it; its lease runs out by itself.
      if (what.to == node_order::revoked) {
        self->state.peer = nullptr;
        show(self);
        tell_people(self);
      }
      tell<dispatcher_actor>(self->state.context, "dispatcher"_name,
                             look_atom{});
      promise.deliver(*done);
      look_at_drain(self);
    });
  return promise;
}

} // namespace
} // namespace node_proxy_parts

using namespace node_proxy_parts;

node_proxy_actor::behavior_type
node_proxy(self_pointer self, hub_context context, node_name node) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  st.node = std::move(node);
  auto row = row_of(self);
  if (!row)
    throw std::runtime_error("no row of node " + st.node.text);
  st.heard_at = row->heard_at;
  auto times = times_of(*st.context.config);
  st.member = after_start(*row, times, self->clock().now());
  show(self);
  // It finds whether the certificate still counts.
  arm(self, self->clock().now());
  tell_people(self);
  look_at_drain(self);
  // Told again, as some may not have heard it.
  if (st.member.link == node_link::lost)
    tell_sessions(self,
                  msg::fact::node_lost{"node " + st.node.text + " is lost"});
  self->set_down_handler([self](const caf::down_msg& down) {
    auto& st = self->state;
    if (st.peer == nullptr || down.source != st.peer->address())
      return;
    st.peer = nullptr;
    adopt(
      self,
      hear_close(st.member, times_of(*st.context.config), self->clock().now()),
      "its connection has ended");
  });
  return {
    [self](const msg::ensure_order& x) {
      return order(self, msg::verb::ensure, x.spec.session, x);
    },
    [self](const msg::stop_order& x) {
      return order(self, msg::verb::stop, x.session, x);
    },
    [self](const msg::publish_order& x) {
      return order(self, msg::verb::publish, x.session, x);
    },
    [self](const msg::deliver_message& x) {
      return order(self, msg::verb::deliver, x.session, x);
    },
    [self](const msg::inspect_worktree& what) {
      return pass_inspection(self, what);
    },
    [self](const msg::node_calls& asked) { return hear(self, asked); },
    [self](const msg::read_output& what) { return pass_output(self, what); },
    [self](const msg::use_terminal& what) { return pass_terminal(self, what); },
    [self](const msg::order_node& what) { return obey(self, what); },
    [self](look_atom) { look(self); },
  };
}

} // namespace ao
