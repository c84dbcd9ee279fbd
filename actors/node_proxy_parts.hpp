#pragma once

#include "actors/job.hpp"
#include "actors/node_proxy.hpp"
#include "messages/interfaces.hpp"
#include "messages/json.hpp"
#include "runtime/actor/harden.hpp"

/// What the files of the NODE PROXY share; nobody else includes this.
namespace ao::node_proxy_parts {

using self_pointer = node_proxy_actor::stateful_pointer<node_proxy_state>;
using reply_promise = caf::typed_response_promise<msg::wire_reply>;

inline void refuse(reply_promise promise, const error& why) {
  promise.deliver(make_error(why));
}

/// Its row; null when there is none any more.
row_ptr<cluster_node> row_of(self_pointer self);

/// The sessions that have, or may have, something on the node.
std::vector<row_ptr<session>> sessions_of(self_pointer self);

/// Has a decision about the row made in its turn.
void decide_row(
  self_pointer self,
  std::function<std::optional<store_write>(const cluster_node&)> decide,
  std::function<void(result<cluster_node>)> answer = {});

/// The row as it is to be, and an event that says so.
store_write row_write(self_pointer self, cluster_node next, event_kind kind,
                      const std::string& why,
                      const std::string& actor = "node-proxy");

/// Tells the sessions there what has become of their node.
void tell_sessions(self_pointer self, const msg::session_fact& what);

/// Gives lost sessions of projects that want it to others: under a new grant
/// they are queued, and placed elsewhere.
void replace_sessions(self_pointer self);

/// One incident of a lost node, whatever it stops; closed when the node is back
/// or is not wanted back. Found by its row, so saying it again is safe.
/// @param again It was lost a moment ago: a word of a person about an earlier
///        time does not count.
void tell_people(self_pointer self, bool again = false);

/// The times of `cluster:`.
cluster_times times_of(const settings& all);

/// Puts what is in no row on the board.
void show(self_pointer self);

/// Has a look taken then, unless one is due before.
void arm(self_pointer self, std::optional<mono_time> at);

/// What is being started there has been disturbed: the node is silent, cut off
/// or back.
void note_disturbance(self_pointer self);

/// Adopts a step of the membership and does what it means.
void adopt(self_pointer self, const membership_step& step,
           const std::string& why);

/// Answers a hello, once the registry's numbers are above all that the node has
/// seen. Errors: those of a hello.
caf::result<msg::wire_reply> greet(self_pointer self,
                                   const msg::node_calls& asked);

/// Answers what a node has seen before its hello, a part at a time, when the
/// registry's numbers are above it. Errors: those of a hello.
caf::result<msg::wire_reply> take_seen(self_pointer self,
                                       const msg::node_calls& asked);

/// Does what the drain of the node wants now, as the rows say: ends it, or
/// moves what is left there. Safe to repeat.
void look_at_drain(self_pointer self);

/// Takes a report that is the end of a run which is not this node's any more:
/// records the ref that keeps its work, or has its SESSION decide whose work
/// counts. False of any other.
bool take_parting(self_pointer self, const msg::session_report& told,
                  reply_promise promise);

/// `{request}`: signs the node's next certificate, for its name alone; the
/// present one counts until the node has shown the other. Says the same when it
/// is asked again.
void take_renewal(self_pointer self, const msg::wire_call& call,
                  reply_promise promise);

/// `{credential}`: the node has the new certificate in place; from now on it
/// has no other.
void take_renewed(self_pointer self, const msg::wire_call& call,
                  reply_promise promise);

event renewed_event(self_pointer self, const cluster_node& row);

/// Tells, once, of a certificate that counts no more.
void look_at_expiry(self_pointer self);

/// After this, what ESCALATION or a SESSION has not taken is said again.
constexpr std::chrono::seconds retry_pause{5};

/// Calls the connected node.
inline auto call_node(self_pointer self, std::string_view verb,
                      std::string body) {
  auto& st = self->state;
  msg::wire_call call;
  call.verb = std::string{verb};
  call.node = st.node.text;
  call.incarnation = st.member.incarnation;
  call.body = std::move(body);
  return self->request(caf::actor_cast<wire_actor::super>(st.peer),
                       registry_deadline - std::chrono::seconds{1}, call);
}

/// A request of an agent on the node, made to our own socket for agents, so
/// that it is judged as one of ours.
void pass_request(self_pointer self, const msg::wire_call& call,
                  reply_promise promise);

/// `{project, have}`: offers what the forge has and the node has not;
/// `{id, offset}`: a chunk of that.
void serve_fetch(self_pointer self, const msg::wire_call& call,
                 reply_promise promise);

/// `{id, offset, last, project, updates, token}` and a chunk: keeps it; the
/// last one has the forge decide.
void take_push(self_pointer self, const msg::wire_call& call,
               reply_promise promise);

/// Asks the node for a part of a session's output, when its turn has come.
caf::result<msg::output_part> pass_output(self_pointer self,
                                          const msg::read_output& what);

/// The node has gone: whoever waits for output of it is told so.
void refuse_output(self_pointer self);

/// Asks the node for a step of looking at a terminal.
caf::result<msg::terminal_part> pass_terminal(self_pointer self,
                                              const msg::use_terminal& what);

/// The node has gone: whoever waits for such a step is told so.
void refuse_terminals(self_pointer self);

/// Whether the node is connected, or is about to be.
inline bool is_reachable(self_pointer self) {
  return self->state.peer != nullptr || self->state.greeting > 0;
}

/// A hello is answered: what has waited for that is asked of the node, or
/// refused.
void ask_what_waits(self_pointer self);

/// Asks what waits for its turn.
void ask_for_output(self_pointer self);
void ask_for_terminals(self_pointer self);

/// The node is not connected.
error away(self_pointer self);

/// What `why` of the node is to whoever asked: it is the node that says
/// nothing, not the hub.
error problem_of_node(self_pointer self, const caf::error& why);

/// Answers what somebody waits for, unless that was done; whether it was not.
template <class Awaited, class Answer>
bool answer_once(Awaited& one, const Answer& answer) {
  if (std::exchange(one.over, true))
    return false;
  one.promise.deliver(answer);
  return true;
}

/// Where chunks of this node lie.
inline std::string scratch_of(self_pointer self) {
  const auto& st = self->state;
  return st.context.place->root() + "/cluster/" + st.node.text;
}

} // namespace ao::node_proxy_parts
