#include "actors/front_door.hpp"

#include "actors/ask_child.hpp"
#include "messages/interfaces.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/actor/link_port.hpp"
#include "runtime/rules/event_data.hpp"
#include "runtime/rules/join_tokens.hpp"
#include "runtime/tls/channel.hpp"

#include <caf/actor_system.hpp>

#include <stdexcept>

namespace ao {
namespace {

using self_pointer = front_door_actor::stateful_pointer<front_door_state>;

/// An earlier life's port may just be closing.
constexpr int most_tries = 20;
constexpr std::chrono::milliseconds pause{250};
/// Between two looks at who has not proven anything.
constexpr std::chrono::seconds sweep_pause{1};

/// Closes the port with the actor, so that its next life can open it.
void close_at_end(self_pointer self, std::uint16_t port) {
  auto* system = &self->system();
  self->attach_functor(
    [system, port, address = self->address()](const caf::error&) {
      close_link_port(*system, address, port);
    });
}

/// Without certificate, key and authority CAF would listen all the same, to
/// everybody (CAF.md §3e).
void open_port(self_pointer self) {
  auto& st = self->state;
  auto link = link_address(*st.context.config);
  if (link.empty())
    return;
  auto checked = tls::check_files(tls::hub_files(*st.context.place),
                                  ec::cluster_not_initialised, wall_now());
  if (!checked)
    throw std::runtime_error("cluster.link: " + to_string(checked.error()));
  auto where = tls::parse_address(link);
  if (!where)
    throw std::runtime_error("cluster.link: " + where.error().context);
  auto& system = self->system();
  st.strangers
    = std::make_shared<tls::strangers>(most_handshakes, handshake_limit);
  auto opened
    = open_link_port(system, caf::actor_cast<caf::strong_actor_ptr>(self),
                     system.message_types(front_door_actor::super{}),
                     where->host, where->port, st.strangers);
  if (opened) {
    st.port = *opened;
    close_at_end(self, st.port);
    st.context.say(log_level::info, "link_listens address=" + link);
    return self->delayed_send(self, sweep_pause, look_atom::value);
  }
  if (++st.tries >= most_tries)
    throw std::runtime_error("cluster.link: " + link + " cannot be opened: "
                             + to_string(opened.error()));
  self->delayed_send(self, pause, look_atom::value);
}

void look(self_pointer self) {
  auto& st = self->state;
  if (st.port == 0)
    return open_port(self);
  st.strangers->sweep(std::chrono::steady_clock::now());
  self->delayed_send(self, sweep_pause, look_atom::value);
}

/// Somebody holds a certificate of ours and is not let in all the same.
void record_refusal(self_pointer self, const msg::wire_call& call,
                    const caf::error& why) {
  auto& context = self->state.context;
  auto problem = to_ao_error(why);
  context.say(log_level::warn,
              "node_refused node=" + call.node + " reason=\""
                + to_string(problem) + "\"");
  store_write write;
  write.events
    = {make_event(event_kind::node_refused, context.now(),
                  context.rows->find<cluster_node>(call.node)
                    ? subject_of(node_name{call.node})
                    : std::string{"hub"},
                  "front-door", 0,
                  event_data{}
                    .with("node", is_node_name(call.node) ? call.node : "")
                    .with("reason", std::string{to_string(problem.code)})
                    .with("detail", problem.context))};
  ask<store_actor>(self, context, "store"_name, store_deadline,
                   std::move(write))
    .then([](const store_written&) {},
          [self](const caf::error& lost) {
            self->state.context.say(log_level::error,
                                    "refusal_not_recorded reason=\""
                                      + to_string(to_ao_error(lost)) + "\"");
          });
}

/// Whether a refusal of this kind is about who asks, not about what.
bool is_audited(const msg::wire_call& call, ec code) {
  if (call.verb == msg::verb::hello || call.verb == msg::verb::seen)
    return !may_pass(code);
  return code == ec::not_allowed || code == ec::node_revoked
    || code == ec::bad_token;
}

caf::result<msg::wire_reply> hand_on(self_pointer self,
                                     const msg::wire_call& call) {
  auto& st = self->state;
  // Before the promise, which takes it.
  msg::node_calls order{call, self->current_sender()};
  auto promise = self->make_response_promise<msg::wire_reply>();
  auto refuse = [self, call, promise](const caf::error& why) mutable {
    if (is_audited(call, to_ao_error(why).code))
      record_refusal(self, call, why);
    promise.deliver(why);
  };
  if (!st.context.rows->find<cluster_node>(call.node)) {
    refuse(make_error(ec::no_such_node,
                      "this hub knows no node of that name; has it joined "
                      "another one?"));
    return promise;
  }
  auto name = make_actor_name("node-proxy", call.node);
  auto answer = [promise](const msg::wire_reply& reply) mutable {
    promise.deliver(reply);
  };
  auto ask_anew = [self, name, answer, refuse](msg::node_calls again) {
    ask_child<node_proxy_actor>(self, self->state.context, "nodes"_name, name,
                                api_deadline, std::move(again), answer, refuse);
  };
  // Nearly always it is there, and its supervisor need not be asked.
  auto proxy = st.context.names->find<node_proxy_actor::super>(name);
  if (!proxy) {
    ask_anew(std::move(order));
    return promise;
  }
  self->request(proxy, api_deadline, order)
    .then(answer, [order, ask_anew, refuse](const caf::error& why) mutable {
      if (to_ao_error(why).code == ec::not_reachable)
        ask_anew(order);
      else
        refuse(why);
    });
  return promise;
}

} // namespace

front_door_actor::behavior_type front_door(self_pointer self,
                                           hub_context context) {
  harden(self, context);
  self->state.context = std::move(context);
  open_port(self);
  return {
    [self](const msg::wire_call& call) { return hand_on(self, call); },
    [self](look_atom) { look(self); },
  };
}

} // namespace ao
