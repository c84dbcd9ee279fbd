#include "actors/link.hpp"

#include "actors/job.hpp"
#include "actors/link_parts.hpp"
#include "messages/interfaces/sessions.hpp"
#include "messages/protocol.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/cluster/lease_file.hpp"
#include "runtime/node/output.hpp"
#include "runtime/tls/channel.hpp"

#include <caf/actor_system.hpp>
#include <caf/openssl/manager.hpp>
#include <caf/openssl/remote_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

namespace ao {
namespace {

using namespace link_parts;

constexpr milliseconds first_pause{200};
constexpr milliseconds longest_pause{15'000};
constexpr std::chrono::seconds dial_limit{15};
constexpr std::chrono::seconds keep_limit{10};
/// Of finding out whether the hub can be reached at all.
constexpr milliseconds knock_limit{2'000};
constexpr std::chrono::seconds hello_limit{10};
/// The hub waits no longer for a part of a session's output.
constexpr std::chrono::seconds output_limit{8};
/// Of writing down what was seen.
constexpr std::chrono::seconds note_limit{5};
/// After so many beats without an answer the connection is given up.
constexpr std::uint32_t most_unanswered = 3;

/// From half to the whole of the doubled pause: nodes that lost one hub do not
/// come back all at once.
milliseconds pause_after(std::uint32_t tries) {
  thread_local std::mt19937 random{std::random_device{}()};
  auto length = std::min(
    longest_pause, first_pause * (1u << std::min<std::uint32_t>(tries, 8)));
  return milliseconds{std::uniform_int_distribution<std::int64_t>{
    length.count() / 2, length.count()}(random)};
}

/// There is no connection; the next look after a pause dials.
void dial_later(self_pointer self) {
  auto& st = self->state;
  st.door = nullptr;
  ++st.connection;
  st.greeted = st.dialling = st.beating = false;
  for (auto& [id, promise] : std::exchange(st.pending, {}))
    promise.deliver(
      make_error(ec::not_reachable, "the connection to the hub has ended"));
  st.dial_at = self->clock().now() + pause_after(st.tries++);
}

// -- the fence ----------------------------------------------------------------

/// Kills the agents of these projects; what was just being started meanwhile
/// is found by the next look.
void kill_fenced(self_pointer self, std::vector<std::string> projects) {
  auto& st = self->state;
  if (projects.empty() || std::exchange(st.killing, true))
    return;
  run_job(
    self, st.context, std::chrono::minutes{1},
    [kill = st.host.fence, projects = std::move(projects)]() -> result<bool> {
      for (const auto& project : projects)
        kill(project);
      return true;
    },
    [self](bool) { self->state.killing = false; },
    [self](const caf::error&) { self->state.killing = false; });
}

/// Kills the agents of the projects whose time without the hub is over, until
/// it greets us again.
void fence(self_pointer self) {
  auto& st = self->state;
  auto now = lease_clock();
  std::vector<std::string> over;
  for (const auto& [project, limit] : st.stop_after) {
    if (!st.lease.renewed || !has_to_fence(st.lease, limit, now))
      continue;
    over.push_back(project);
    if (std::exchange(st.fenced[project], true))
      continue;
    st.lease.fenced = true;
    st.context.say(log_level::error,
                   "fenced project=" + project + " silent_for="
                     + format_duration(std::chrono::duration_cast<milliseconds>(
                       now - *st.lease.renewed)));
  }
  kill_fenced(self, std::move(over));
}

// -- dial, hello, beat --------------------------------------------------------

/// Trying again does not help: a person has to.
bool is_final(ec code) {
  switch (code) {
  case ec::bad_token:
  case ec::node_revoked:
  case ec::no_such_node:
  case ec::stale_incarnation:
  case ec::protocol_mismatch:
    return true;
  default:
    return false;
  }
}

/// What of ours was given to others while we were away is ended, its work kept
/// under a ref: two agents must not work on one task.
void give_up_lost(self_pointer self, const msg::node_welcome& said) {
  auto& st = self->state;
  for (const auto& ours : said.losers) {
    // Once: a node that comes back often would end all its past each time.
    std::tuple key{ours.session.text, ours.epoch, ours.run};
    if (!st.given_up.insert(key).second)
      continue;
    st.context.say(log_level::warn,
                   "session_lost session=" + ours.session.text
                     + " epoch=" + std::to_string(ours.epoch)
                     + " run=" + std::to_string(ours.run));
    ask<uplink_actor>(
      self, st.context, "uplink"_name, registry_deadline,
      msg::stop_order{ours.session, ours.epoch, ours.run, msg::stop_how::park})
      .then([](const session_id&) {},
            [self, key, id = ours.session](const caf::error& why) {
              // Named again by the next hello.
              self->state.given_up.erase(key);
              self->state.context.say(log_level::error,
                                      "loser_not_stopped session=" + id.text
                                        + " reason=\""
                                        + to_string(to_ao_error(why)) + "\"");
            });
  }
}

/// What went to others and may go on here: its agents are ended, where the
/// fence has not, and what they have left is told. Each time: the hub that asks
/// may be another.
void rest_left(self_pointer self, const msg::node_welcome& said) {
  auto& st = self->state;
  for (const auto& ours : said.left) {
    st.context.say(log_level::warn,
                   "session_left session=" + ours.session.text
                     + " epoch=" + std::to_string(ours.epoch)
                     + " run=" + std::to_string(ours.run));
    ask<uplink_actor>(self, st.context, "uplink"_name, registry_deadline,
                      msg::stop_order{ours.session, ours.epoch, ours.run,
                                      msg::stop_how::end_agent})
      .then([](const session_id&) {},
            [self, id = ours.session](const caf::error& why) {
              // Named again by the next hello.
              self->state.context.say(log_level::error,
                                      "left_not_told session=" + id.text
                                        + " reason=\""
                                        + to_string(to_ao_error(why)) + "\"");
            });
  }
}

/// For a next life that finds no hub. One write at a time: what comes between
/// is written with the next renewal; by an older one the fence is earlier.
void write_lease_down(self_pointer self) {
  auto& st = self->state;
  if (!st.lease.renewed || std::exchange(st.keeping, true))
    return;
  run_job(
    self, st.context, keep_limit,
    [place = st.context.place,
     kept = kept_lease{*st.lease.renewed, st.stop_after}]() -> result<bool> {
      if (auto ok = keep_lease(*place, kept); !ok)
        return fail(ok.error());
      return true;
    },
    [self](bool) { self->state.keeping = false; },
    [self](const caf::error& why) {
      self->state.keeping = false;
      self->state.context.say(log_level::warn,
                              "lease_not_kept reason=\""
                                + to_string(to_ao_error(why)) + "\"");
    });
}

/// What the life before has left of its lease: its agents are ours now.
void take_kept_lease(self_pointer self) {
  auto& st = self->state;
  auto kept = read_lease(*st.context.place);
  if (!kept)
    return;
  st.lease.renewed = kept->renewed;
  st.stop_after = std::move(kept->stop_after);
}

void take_welcome(self_pointer self, const msg::node_welcome& said,
                  mono_time sent) {
  auto& st = self->state;
  st.greeted = true;
  st.tries = 0;
  st.unanswered = 0;
  st.heartbeat = milliseconds{static_cast<std::int64_t>(said.heartbeat)};
  st.lease = lease_granted(sent);
  st.stop_after.clear();
  st.fenced.clear();
  for (const auto& [project, limit] : said.stop_after)
    st.stop_after[project] = milliseconds{static_cast<std::int64_t>(limit)};
  write_lease_down(self);
  st.context.say(log_level::info,
                 "hub_reached link=" + st.host.hub.link
                   + " life=" + std::to_string(st.host.incarnation));
  st.settings = said.settings;
  st.host.told(said.settings);
  settle_greeted(self);
  give_up_lost(self, said);
  rest_left(self, said);
}

/// Of a hello, or of what is said before it, over the present connection.
auto refused_hello(self_pointer self) {
  return [self, over = self->state.connection](const caf::error& why) {
    auto& st = self->state;
    if (st.connection != over)
      return;
    auto problem = to_ao_error(why);
    st.context.say(log_level::warn,
                   "hello_refused reason=\"" + to_string(problem) + "\"");
    // A certificate that the hub does not know may have one before it.
    if (problem.code == ec::bad_token
        && go_back(self, [self] { dial_later(self); }))
      return;
    if (is_final(problem.code))
      return st.host.refused(problem);
    dial_later(self);
  };
}

void say_hello(self_pointer self) {
  auto& st = self->state;
  auto hello = st.host.describe();
  hello.protocol = node_protocol;
  hello.name = st.host.hub.name;
  hello.credential = st.host.hub.credential;
  hello.incarnation = st.host.incarnation;
  hello.program = st.host.program;
  hello.slots = st.host.slots;
  auto sent = lease_clock();
  self
    ->request(door_of(self), hello_limit,
              call_of(self, msg::verb::hello, msg::to_wire(hello)))
    .then(
      [self, sent, over = st.connection](const msg::wire_reply& reply) {
        if (self->state.connection != over)
          return;
        auto said = msg::read_wire<msg::node_welcome>(reply.body);
        if (said)
          return take_welcome(self, *said, sent);
        self->state.host.refused(said.error());
      },
      refused_hello(self));
}

/// What was seen, one part after the other, then the hello: a hub with older
/// records gives nothing before it knows all of it.
void say_what_was_seen(self_pointer self,
                       std::shared_ptr<std::vector<msg::seen_part>> parts) {
  if (parts->empty())
    return say_hello(self);
  auto part = std::move(parts->back());
  parts->pop_back();
  part.credential = self->state.host.hub.credential;
  self
    ->request(door_of(self), hello_limit,
              call_of(self, msg::verb::seen, msg::to_wire(part)))
    .then(
      [self, parts, over = self->state.connection](const msg::wire_reply&) {
        if (self->state.connection == over)
          say_what_was_seen(self, parts);
      },
      refused_hello(self));
}

void dial(self_pointer self) {
  auto& st = self->state;
  if (std::exchange(st.dialling, true))
    return;
  auto where = tls::parse_address(st.host.hub.link);
  if (!where)
    return st.host.refused(where.error());
  auto* system = &self->system();
  run_job(
    self, st.context, dial_limit,
    [system, where = *where]() -> result<caf::strong_actor_ptr> {
      // CAF connects without a limit, and one such try after the other: in a
      // network that loses all, this takes the kernel two minutes, in which
      // the hub would not be dialled again.
      if (auto ok = tls::knock(where.host, where.port, knock_limit); !ok)
        return fail(ok.error());
      auto door = caf::openssl::remote_actor<front_door_actor::super>(
        *system, where.host, where.port);
      if (!door)
        return fail(ec::not_reachable, system->render(door.error()));
      return caf::actor_cast<caf::strong_actor_ptr>(*door);
    },
    [self](const caf::strong_actor_ptr& door) {
      auto& st = self->state;
      st.dialling = false;
      ++st.connection;
      st.door = door;
      self->monitor(door->address());
      say_what_was_seen(
        self,
        std::make_shared<std::vector<msg::seen_part>>(st.host.seen->parts()));
    },
    [self](const caf::error& why) {
      auto& st = self->state;
      st.context.say(log_level::debug,
                     "hub_not_reached link=" + st.host.hub.link + " reason=\""
                       + to_string(to_ao_error(why)) + "\"");
      dial_later(self);
    });
}

void beat(self_pointer self) {
  auto& st = self->state;
  if (std::exchange(st.beating, true))
    return;
  auto sent = lease_clock();
  auto allowed = std::max<milliseconds>(st.heartbeat, milliseconds{500});
  self->request(door_of(self), allowed, call_of(self, msg::verb::beat))
    .then(
      [self, sent, over = st.connection](const msg::wire_reply&) {
        auto& st = self->state;
        if (st.connection != over)
          return;
        st.beating = false;
        st.unanswered = 0;
        st.lease = lease_renewed(st.lease, sent);
        write_lease_down(self);
        // What was fenced counts again only when we are greeted again.
        if (st.lease.fenced)
          say_hello(self);
      },
      [self, over = st.connection](const caf::error& why) {
        auto& st = self->state;
        if (st.connection != over)
          return;
        st.beating = false;
        auto problem = to_ao_error(why);
        if (is_final(problem.code))
          return st.host.refused(problem);
        // It has counted us as lost, or is another one by now.
        if (problem.code == ec::wrong_state || problem.code == ec::not_allowed)
          return say_hello(self);
        if (++st.unanswered >= most_unanswered)
          dial_later(self);
      });
}

/// A heartbeat, and never past a moment at which the fence is due: what it may
/// take (`fence_takes`) has no room for a heartbeat.
milliseconds pause_before_look(const link_state& st) {
  auto out = st.heartbeat;
  auto now = lease_clock();
  for (const auto& [project, limit] : st.stop_after)
    if (auto due = fence_at(st.lease, limit); due && *due > now)
      out = std::min(out, std::chrono::ceil<milliseconds>(*due - now));
  return out;
}

/// Once a heartbeat, whatever else goes on: the fence must not wait for a dial
/// that nobody answers.
void look(self_pointer self) {
  auto& st = self->state;
  fence(self);
  look_at_renewal(self);
  look_at_facts(self);
  self->delayed_send(self, pause_before_look(st), look_atom::value);
  if (st.door) {
    if (st.greeted)
      beat(self);
  } else if (self->clock().now() >= st.dial_at) {
    dial(self);
  }
}

// -- calls --------------------------------------------------------------------

template <class Order>
void obey(self_pointer self, const msg::wire_call& call,
          reply_promise promise) {
  auto order = msg::read_wire<Order>(call.body);
  if (!order) {
    promise.deliver(make_error(order.error()));
    return;
  }
  ask<uplink_actor>(self, self->state.context, "uplink"_name,
                    registry_deadline - std::chrono::seconds{2}, *order)
    .then(
      [promise](const session_id& id) mutable {
        promise.deliver(msg::wire_reply{id.text, {}});
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
}

/// Reads beside everything else: it may wait for a tmux.
void show_output(self_pointer self, const msg::wire_call& call,
                 reply_promise promise) {
  auto what = msg::read_wire<msg::read_output>(call.body);
  if (!what) {
    promise.deliver(make_error(what.error()));
    return;
  }
  auto& context = self->state.context;
  run_reading(
    self, context, output_limit,
    [place = context.place, what = *what]() -> result<msg::wire_reply> {
      auto part = read_output(*place, what, msg::longest_chunk);
      if (!part)
        return fail(part.error());
      return msg::wire_reply{msg::to_wire(*part), std::move(part->text)};
    },
    [promise](const msg::wire_reply& reply) mutable { promise.deliver(reply); },
    [promise](const caf::error& why) mutable { promise.deliver(why); });
}

void show_worktree(self_pointer self, const msg::wire_call& call,
                   reply_promise promise) {
  auto what = msg::read_wire<msg::inspect_worktree>(call.body);
  if (!what) {
    promise.deliver(make_error(what.error()));
    return;
  }
  ask<uplink_actor>(self, self->state.context, "uplink"_name,
                    registry_deadline - std::chrono::seconds{2}, *what)
    .then(
      [promise](const worktree_facts& facts) mutable {
        promise.deliver(msg::wire_reply{msg::to_wire(facts), {}});
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
}

/// Nothing runs under a number that could be forgotten.
void begin_run(self_pointer self, const msg::wire_call& call,
               reply_promise promise) {
  auto& st = self->state;
  auto order = msg::read_wire<msg::ensure_order>(call.body);
  if (!order || !st.host.seen->is_new(order->spec))
    return obey<msg::ensure_order>(self, call, promise);
  run_job(
    self, st.context, note_limit,
    [seen = st.host.seen, spec = order->spec]() -> result<bool> {
      if (auto ok = seen->note(spec); !ok)
        return fail(ok.error());
      return true;
    },
    [self, call, promise](bool) {
      obey<msg::ensure_order>(self, call, promise);
    },
    [promise](const caf::error& why) mutable { promise.deliver(why); });
}

caf::result<msg::wire_reply> take_call(self_pointer self,
                                       const msg::wire_call& call) {
  auto& st = self->state;
  // Only the hub that has greeted us, and only what is meant for this life.
  auto from = self->current_sender();
  if (!st.greeted || !from || !st.door || from->node() != st.door->node())
    return make_error(ec::not_allowed, "only the hub may call a node");
  if (call.incarnation != st.host.incarnation)
    return make_error(ec::stale_incarnation, "this is another life");
  auto promise = self->make_response_promise<msg::wire_reply>();
  if (call.verb == msg::verb::ensure)
    begin_run(self, call, promise);
  else if (call.verb == msg::verb::stop)
    obey<msg::stop_order>(self, call, promise);
  else if (call.verb == msg::verb::publish)
    obey<msg::publish_order>(self, call, promise);
  else if (call.verb == msg::verb::deliver)
    obey<msg::deliver_message>(self, call, promise);
  else if (call.verb == msg::verb::output)
    show_output(self, call, promise);
  else if (call.verb == msg::verb::terminal)
    use_terminal(self, call, promise);
  else if (call.verb == msg::verb::worktree)
    show_worktree(self, call, promise);
  else if (call.verb == msg::verb::look)
    look_anew(self, promise);
  else
    promise.deliver(make_error(ec::bad_input, "unknown verb " + call.verb));
  return promise;
}

caf::result<msg::wire_reply> pass_on(self_pointer self,
                                     const msg::call_hub& asked) {
  auto& st = self->state;
  if (!st.greeted || !st.door)
    return make_error(ec::not_reachable, "there is no connection to the hub");
  auto call = call_of(self, asked.verb, asked.body);
  call.bytes = asked.bytes;
  auto promise = self->make_response_promise<msg::wire_reply>();
  auto id = ++st.calls;
  st.pending.emplace(id, promise);
  auto answer = [self, id](const auto& with) {
    auto& pending = self->state.pending;
    auto found = pending.find(id);
    if (found == pending.end())
      return;
    auto promise = std::move(found->second);
    pending.erase(found);
    promise.deliver(with);
  };
  self->request(door_of(self), asked.deadline, call)
    .then([answer](const msg::wire_reply& reply) { answer(reply); },
          [answer](const caf::error& why) { answer(why); });
  return promise;
}

} // namespace

result<msg::wire_reply> call_hub_now(caf::actor_system& system,
                                     const directory& names,
                                     msg::call_hub call) {
  auto link = names.find<link_actor>("link"_name);
  if (!link)
    return fail(ec::shutting_down, "the node is starting or stopping");
  caf::scoped_actor self{system};
  result<msg::wire_reply> out = fail(ec::internal, "no answer");
  auto allowed = call.deadline + std::chrono::seconds{1};
  self->request(link, allowed, std::move(call))
    .receive([&](const msg::wire_reply& reply) { out = reply; },
             [&](const caf::error& why) { out = fail(to_ao_error(why)); });
  return out;
}

link_actor::behavior_type
node_link_keeper(self_pointer self, node_context context, link_host host) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  st.host = std::move(host);
  take_kept_lease(self);
  self->set_down_handler([self](const caf::down_msg& down) {
    auto& st = self->state;
    if (!st.door || down.source != st.door->address())
      return;
    st.context.say(log_level::warn, "hub_lost link=" + st.host.hub.link);
    dial_later(self);
  });
  self->send(self, look_atom::value);
  return {
    [self](const msg::wire_call& call) { return take_call(self, call); },
    [self](const msg::call_hub& asked) { return pass_on(self, asked); },
    [self](look_atom) { look(self); },
  };
}

} // namespace ao
