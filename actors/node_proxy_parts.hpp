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

/// Where chunks of this node lie.
inline std::string scratch_of(self_pointer self) {
  const auto& st = self->state;
  return st.context.place->root() + "/cluster/" + st.node.text;
}

} // namespace ao::node_proxy_parts
