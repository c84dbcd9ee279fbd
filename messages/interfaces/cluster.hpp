#pragma once

#include "messages/interfaces/atoms.hpp"
#include "messages/joining.hpp"
#include "messages/local_types.hpp"
#include "messages/role.hpp"
#include "messages/type_ids.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/node_id.hpp>
#include <caf/replies_to.hpp>

namespace ao {

namespace msg {

/// FRONT DOOR → NODE PROXY: a call of the node, and the way back to it.
struct node_calls {
  wire_call call;
  /// The node's LINK, or null when nobody is to answer.
  caf::strong_actor_ptr from;
};

/// A part of the node → LINK: call the hub.
struct call_hub {
  std::string verb;
  std::string body;
  std::string bytes;
  /// How long the hub may take.
  milliseconds deadline{0};
};

} // namespace msg

/// What crosses the wire, in both directions.
AO_ROLE(wire_actor,
        // Errors: those of what is called; `not_allowed` before a hello.
        caf::replies_to<msg::wire_call>::with<msg::wire_reply>);

/// The FRONT DOOR: all that a node can reach of the hub. Keeps nothing, and
/// hands each call to the NODE PROXY of its node.
AO_ROLE(front_door_actor,
        // From a node's LINK.
        caf::replies_to<msg::wire_call>::with<msg::wire_reply>,
        // INTERNAL: opens the port, again where that has failed; then
        // cuts connections there that have proven nothing for too long.
        caf::reacts_to<look_atom>);

/// The CLUSTER: lets nodes in. The one writer of tokens; nodes are born in its
/// commits.
AO_ROLE(cluster_actor,
        // From the API. Errors: cluster_not_initialised, bad_input.
        caf::replies_to<msg::make_join_token>::with<msg::join_token_made>,
        // From the JOIN DOOR. Errors: bad_token, token_used, token_expired,
        // token_foreign, bad_input.
        caf::replies_to<msg::join_cluster>::with<msg::joined_cluster>);

/// The NODE PROXY: one node as the hub sees it: whether it is there, what it is
/// ordered, what it says. The one writer of its row.
AO_ROLE(node_proxy_actor,
        // As the UPLINK of the embedded node: from SESSION and MAILBOX. Answers
        // when the node has taken the order. Errors: not_reachable.
        caf::replies_to<msg::ensure_order>::with<session_id>,
        caf::replies_to<msg::stop_order>::with<session_id>,
        caf::replies_to<msg::publish_order>::with<session_id>,
        caf::replies_to<msg::deliver_message>::with<session_id>,
        // From the API, likewise.
        caf::replies_to<msg::inspect_worktree>::with<worktree_facts>,
        // From the FRONT DOOR: what the node says.
        caf::replies_to<msg::node_calls>::with<msg::wire_reply>,
        // From the API: a part of what a session there has printed. Errors:
        // not_reachable.
        caf::replies_to<msg::read_output>::with<msg::output_part>,
        // From the API: a step of looking at a terminal there. Errors: those of
        // TERMINALS; not_reachable.
        caf::replies_to<msg::use_terminal>::with<msg::terminal_part>,
        // From the API. Answers the row once it is durable.
        caf::replies_to<msg::order_node>::with<cluster_node>,
        // INTERNAL: a time of its membership is over.
        caf::reacts_to<look_atom>);

/// The LINK: a node's end of the connection to its hub. Dials it, again and
/// again; renews the lease; hands orders to the UPLINK.
AO_ROLE(link_actor,
        // From the hub.
        caf::replies_to<msg::wire_call>::with<msg::wire_reply>,
        // From a part of the node. Errors: not_reachable while there is no
        // connection.
        caf::replies_to<msg::call_hub>::with<msg::wire_reply>,
        // INTERNAL: dials, or beats.
        caf::reacts_to<look_atom>);

/// The TERMINALS: those who look at terminals of a node from afar.
AO_ROLE(terminals_actor,
        // From the LINK. A read that finds nothing, and a write that finds no
        // room, wait a while for it. Errors: no_such_session (the attachment is
        // unknown), wrong_state (there are too many), bad_input,
        // program_missing, process_failed.
        caf::replies_to<msg::use_terminal>::with<msg::terminal_part>,
        // INTERNAL: what was waited for may be there.
        caf::reacts_to<msg::terminal_news>,
        // INTERNAL: a time is over.
        caf::reacts_to<look_atom>);

} // namespace ao

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::cluster_node)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::make_join_token)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::join_token_made)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::join_cluster)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::joined_cluster)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::order_node)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::node_calls)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::read_output)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::output_part)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::use_terminal)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::terminal_part)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::terminal_news)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::msg::call_hub)
