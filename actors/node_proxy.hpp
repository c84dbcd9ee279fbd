#pragma once

#include "actors/hub_context.hpp"
#include "actors/write_turns.hpp"
#include "messages/interfaces/cluster.hpp"
#include "runtime/actor/look_alarm.hpp"
#include "runtime/rules/membership.hpp"
#include "runtime/rules/placement.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/node_id.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>

namespace ao {

/// A decision about the node's row that waits for its turn.
struct node_turn {
  /// What is written; nothing = there is nothing to decide any more.
  std::function<std::optional<store_write>(const cluster_node&)> decide;
  /// Told the row once it is durable.
  std::function<void(result<cluster_node>)> answer;
};

/// Something of the node that somebody waits for.
template <class Answer>
struct awaited_of_node {
  caf::typed_response_promise<Answer> promise;
  /// Answered; what the node says later is of no use.
  bool over = false;
};

/// A part of a session's output.
struct awaited_output : awaited_of_node<msg::output_part> {
  msg::read_output what;
};

/// A step of looking at a terminal.
struct awaited_terminal : awaited_of_node<msg::terminal_part> {
  msg::use_terminal what;
};

/// State of the NODE PROXY.
struct node_proxy_state {
  static inline const char* name = "node-proxy";
  hub_context context;
  node_name node;
  membership member;
  write_turns<node_turn> turns;

  /// The node's LINK while it is connected. A new one with each hello: after a
  /// reconnect the old handle stays dead, though it compares equal.
  caf::strong_actor_ptr peer;
  /// The process that said hello; others may not speak for the node.
  caf::node_id process;
  std::optional<wall_time> heard_at;
  /// Tasks that fail there one after the other.
  quarantine record;
  /// What was being started there while it was away: that it fails says
  /// nothing of the node.
  std::set<std::tuple<std::string, epoch_no, run_no>> disturbed;
  /// Output that was asked of the node, at most as much as the window of its
  /// connection; what waits for its place there.
  std::deque<std::shared_ptr<awaited_output>> asked_output;
  std::deque<std::shared_ptr<awaited_output>> waiting_output;
  /// Steps that the node was asked for.
  std::deque<std::shared_ptr<awaited_terminal>> asked_terminals;
  std::deque<std::shared_ptr<awaited_terminal>> waiting_terminals;
  /// Hellos that are being answered. The node is back by its row before the
  /// last word of that: what is asked of it meanwhile waits.
  std::size_t greeting = 0;
  /// What it has told in this life of its agent programs and its memory.
  std::optional<msg::node_facts> facts;
  /// The serial of the certificate whose end was told; empty = none.
  std::string expired;
  /// ESCALATION is being told of a loss, or of its end.
  bool telling = false;
  /// Sessions that are being moved on, or asked whether they can be.
  std::set<session_id> replacing;
  look_alarm alarm;
};

/// One node as the hub sees it:
///
///   hello --> credential, life, version good? --> COMMIT: alive
///             --> answers times, settings, rows of its sessions
///   beat  --> renews the lease, in memory
///   silent, or its connection has ended --> suspect --> lost --> COMMIT,
///             its sessions are told
///   orders of SESSION and MAILBOX --> the node; reports of the node -->
///             SESSION, MAILBOX, OVERLAPS, STORE
///   output of sessions there --> asked of the node, a few parts at a time
///   looks at terminals there --> the node, step by step; nothing of them is
///             kept here
///   requests of agents, fetches and pushes --> beside the others, as jobs
///
/// @param self The actor handle.
/// @param context The hub.
/// @param node Which one.
node_proxy_actor::behavior_type
node_proxy(node_proxy_actor::stateful_pointer<node_proxy_state> self,
           hub_context context, node_name node);

} // namespace ao
