#include "actors/node_proxy_parts.hpp"
#include "messages/protocol.hpp"
#include "runtime/cluster/credential.hpp"
#include "runtime/cluster/node_settings.hpp"
#include "runtime/cluster/renewal.hpp"
#include "runtime/rules/reconcile.hpp"

/// How a node is greeted: who it is, what it has seen, what is its own.
namespace ao::node_proxy_parts {
namespace {

/// Whether a credential is this node's, of a certificate that it may show.
result<void> judge_credential(self_pointer self, const std::string& shown,
                              const cluster_node& row) {
  auto& st = self->state;
  auto claims = verify_credential(*st.context.secret, shown);
  if (!claims)
    return fail(claims.error());
  if (claims->name != st.node)
    return fail(ec::bad_token,
                "the credential is of node " + claims->name.text + ", not of "
                  + st.node.text);
  // Also of a renewal that it has in place without having said so, or that
  // our records are too old to know.
  if (!with_shown(row, *claims))
    return fail(ec::bad_token,
                "the credential is of an earlier certificate of "
                  + st.node.text);
  if (row.order == node_order::revoked)
    return fail(ec::node_revoked,
                st.node.text + " was revoked; it has to join anew");
  return {};
}

/// Whether the node is who it says. Errors: those of a hello.
result<msg::node_hello> judge_hello(self_pointer self,
                                    const msg::node_calls& asked,
                                    const cluster_node& row) {
  auto& st = self->state;
  auto said = msg::read_wire<msg::node_hello>(asked.call.body);
  if (!said)
    return fail(said.error());
  if (said->protocol != node_protocol)
    return fail(ec::protocol_mismatch,
                "this hub speaks protocol " + std::to_string(node_protocol)
                  + " with nodes, the node " + std::to_string(said->protocol)
                  + "; install the same version on both");
  if (auto ok = judge_credential(self, said->credential, row); !ok)
    return fail(ok.error());
  if (said->name != st.node)
    return fail(ec::bad_token,
                "node " + said->name.text + " is not " + st.node.text);
  if (!asked.from)
    return fail(ec::bad_input, "nobody is there to answer");
  if (st.peer != nullptr && said->incarnation == st.member.incarnation
      && asked.from->node() != st.process)
    return fail(ec::stale_incarnation,
                "life " + std::to_string(said->incarnation) + " of "
                  + st.node.text + " is spoken for by another process");
  return said;
}

result<std::string> welcome_of(self_pointer self, const msg::node_hello& said) {
  auto& st = self->state;
  const auto& all = *st.context.config;
  msg::node_welcome out;
  out.protocol = node_protocol;
  out.heartbeat = static_cast<std::uint64_t>(all.cluster.heartbeat.count());
  out.lease = static_cast<std::uint64_t>(all.cluster.lease.count());
  for (const auto& [id, p] : all.projects)
    out.stop_after[id.text]
      = static_cast<std::uint64_t>(p.disconnect.stop_on_client_after.count());
  auto written = node_settings(all);
  if (!written)
    return fail(written.error());
  out.settings = std::move(*written);
  for (const auto& s : sessions_of(self))
    out.sessions.push_back(*s);
  for (const auto& held : said.sessions) {
    auto row = st.context.rows->find<session>(held.session.text);
    if (row && row->node != st.node)
      out.sessions.push_back(*row);
    auto whose = standing_of(st.node, held.epoch, held.run, row.get());
    if (whose == held_as::lost)
      out.losers.push_back(held);
    else if (whose == held_as::left)
      out.left.push_back(held);
  }
  return msg::to_wire(out);
}

cluster_node with_facts(cluster_node row, const msg::node_hello& said) {
  row.link = node_link::alive;
  row.incarnation = said.incarnation;
  row.program = said.program;
  row.slots = said.slots;
  row.cores = said.cores;
  row.memory = said.memory;
  row.agents = said.agents;
  row.projects = said.projects;
  return row;
}

/// The hello counts: from now on the node is connected by this LINK. What it
/// is told.
result<std::string> connect(self_pointer self, const msg::node_hello& said,
                            const caf::strong_actor_ptr& from) {
  auto& st = self->state;
  // Once more: time has passed, and a later life may have been heard.
  auto step = hear_hello(st.member, said.incarnation,
                         times_of(*st.context.config), self->clock().now());
  if (step.refused)
    return fail(*step.refused);
  auto text = welcome_of(self, said);
  if (!text)
    return text;
  st.peer = from;
  st.process = from->node();
  st.heard_at = st.context.now();
  if (said.incarnation != st.member.incarnation)
    st.facts.reset();
  self->monitor(from->address());
  step.news = membership_news::none;
  note_disturbance(self);
  adopt(self, step, "");
  return text;
}

/// Answers it, and does what follows.
void welcome(self_pointer self, const msg::node_hello& said, bool first,
             std::string text, reply_promise promise) {
  auto& st = self->state;
  st.context.say(log_level::info,
                 std::string{first ? "node_joined" : "node_returned"}
                   + " node=" + st.node.text
                   + " life=" + std::to_string(said.incarnation));
  promise.deliver(msg::wire_reply{std::move(text), {}});
  tell_people(self);
  look_at_drain(self);
  look_at_expiry(self);
  // What was ordered while it was away may not have reached it.
  tell_sessions(self, msg::fact::node_back{});
  tell_sessions(self, msg::fact::ready{});
  tell<dispatcher_actor>(st.context, "dispatcher"_name, look_atom{});
}

void end_greeting(self_pointer self) {
  --self->state.greeting;
  ask_what_waits(self);
}

/// Its row, the welcome, and what follows.
void admit(self_pointer self, const msg::node_hello& said,
           const caf::strong_actor_ptr& from, reply_promise promise) {
  auto first = self->state.member.link == node_link::joining;
  auto claims = verify_credential(*self->state.context.secret, said.credential);
  decide_row(
    self,
    [self, said, first,
     claims](const cluster_node& row) -> std::optional<store_write> {
      auto known = claims ? with_shown(row, *claims).value_or(row) : row;
      auto renewed = known.serial != row.serial;
      auto write = row_write(
        self, with_facts(known, said),
        first ? event_kind::node_joined : event_kind::node_returned,
        first ? "joined"
              : (said.incarnation == row.incarnation ? "connected again"
                                                     : "started again"));
      if (renewed)
        write.events.push_back(renewed_event(self, known));
      return write;
    },
    [self, said, from, promise, first](const result<cluster_node>& done) {
      auto text = done ? connect(self, said, from)
                       : result<std::string>{fail(done.error())};
      end_greeting(self);
      if (!text)
        return refuse(promise, text.error());
      welcome(self, said, first, std::move(*text), promise);
    });
}

/// What the node has seen and the records have not.
msg::raise_numbers
unknown_numbers(self_pointer self, const std::vector<msg::seen_number>& epochs,
                const std::vector<msg::seen_number>& numbers) {
  const auto& st = self->state;
  const auto& rows = *st.context.rows;
  msg::raise_numbers out;
  out.node = st.node;
  auto last = [&rows](const std::string& name) {
    auto known = rows.find<counter>(name);
    return known ? known->last : 0;
  };
  auto known_tasks = last("task");
  // Of tasks that nobody knows only the last one matters.
  const msg::seen_number* beyond = nullptr;
  for (const auto& seen : epochs) {
    task_id id{seen.of};
    auto known = rows.find<claim>(seen.of);
    // A task that is long over may be kept no more.
    auto grants = rows.find<task>(seen.of) != nullptr
      && seen.highest > (known ? known->epoch : 0);
    if (grants)
      out.epochs.emplace_back(id, seen.highest);
    else if (number_of(id)
             > std::max(known_tasks,
                        beyond == nullptr ? 0 : number_of(task_id{beyond->of})))
      beyond = &seen;
  }
  if (beyond != nullptr)
    out.epochs.emplace_back(task_id{beyond->of}, beyond->highest);
  for (const auto& seen : numbers)
    if (seen.highest > last("session/" + seen.of))
      out.sessions.emplace_back(seen.of, seen.highest);
  return out;
}

/// The same, with what its sessions say.
msg::raise_numbers unknown_numbers(self_pointer self,
                                   const msg::node_hello& said) {
  const auto& rows = *self->state.context.rows;
  auto out = unknown_numbers(self, said.epochs, said.numbers);
  // A later run than ours was started under a record that is gone: what it has
  // done counts as an epoch of its own.
  for (const auto& held : said.sessions)
    if (auto row = rows.find<session>(held.session.text); row
        && !row->task.empty() && row->epoch == held.epoch
        && held.run > row->run)
      if (auto known = rows.find<claim>(row->subject);
          known && known->epoch == held.epoch)
        out.epochs.emplace_back(row->task, held.epoch + 1);
  return out;
}

/// Has the registry go on above what is unknown: nothing is given to the node
/// before that. One of both is called.
void raise_first(self_pointer self, msg::raise_numbers unknown,
                 std::function<void(const caf::error&)> failed,
                 std::function<void()> then) {
  auto& st = self->state;
  if (unknown.epochs.empty() && unknown.sessions.empty())
    return then();
  st.context.say(log_level::error,
                 "records_are_older node=" + st.node.text
                   + " epochs=" + std::to_string(unknown.epochs.size())
                   + " sessions=" + std::to_string(unknown.sessions.size()));
  ask<registry_actor>(self, st.context, "registry"_name, registry_deadline,
                      std::move(unknown))
    .then([then](std::uint64_t) { then(); }, std::move(failed));
}

} // namespace

caf::result<msg::wire_reply> take_seen(self_pointer self,
                                       const msg::node_calls& asked) {
  auto part = msg::read_wire<msg::seen_part>(asked.call.body);
  if (!part)
    return make_error(part.error());
  if (auto ok = judge_credential(self, part->credential, *row_of(self)); !ok)
    return make_error(ok.error());
  auto promise = self->make_response_promise<msg::wire_reply>();
  raise_first(
    self, unknown_numbers(self, part->epochs, part->numbers),
    [promise](const caf::error& why) mutable { promise.deliver(why); },
    [promise]() mutable {
      promise.deliver(msg::wire_reply{"{}", {}});
    });
  return promise;
}

caf::result<msg::wire_reply> greet(self_pointer self,
                                   const msg::node_calls& asked) {
  auto& st = self->state;
  auto said = judge_hello(self, asked, *row_of(self));
  if (!said)
    return make_error(said.error());
  auto step = hear_hello(st.member, said->incarnation,
                         times_of(*st.context.config), self->clock().now());
  if (step.refused)
    return make_error(*step.refused);
  auto promise = self->make_response_promise<msg::wire_reply>();
  ++st.greeting;
  raise_first(
    self, unknown_numbers(self, *said),
    [self, promise](const caf::error& why) mutable {
      end_greeting(self);
      promise.deliver(why);
    },
    [self, said = *said, from = asked.from, promise] {
      admit(self, said, from, promise);
    });
  return promise;
}

} // namespace ao::node_proxy_parts
