#pragma once

#include "messages/error.hpp"
#include "messages/ids.hpp"
#include "messages/message.hpp"
#include "messages/orders.hpp"
#include "messages/output.hpp"
#include "messages/session.hpp"
#include "messages/terminal.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// What hub and node say to each other. Two structs cross the wire; what they
/// carry is JSON, so that two versions understand what both know, and a
/// message that is not understood is an error of one call and not of the link.
namespace ao::msg {

/// The longest `bytes` of a call or a reply: CAF takes a large message for
/// silence (CAF.md §3d).
constexpr std::size_t longest_chunk = 256 * 1024;

/// One call, in either direction. Repeating it is safe.
struct wire_call {
  /// One of `verb`.
  std::string verb;
  /// The node that asks, or is asked, and which of its lives.
  std::string node;
  std::uint64_t incarnation = 0;
  /// JSON.
  std::string body;
  /// A chunk of something large.
  std::string bytes;
};

struct wire_reply {
  std::string body;
  std::string bytes;
};

namespace verb {
/// NODE → HUB. `node_hello` in, `node_welcome` out; everything else needs it.
constexpr std::string_view hello = "hello";
/// The lease is renewed by the answer.
constexpr std::string_view beat = "beat";
/// The node ends in order; its agents go on.
constexpr std::string_view leave = "leave";
/// `session_report` in, its seq out.
constexpr std::string_view report = "report";
/// `message_report`.
constexpr std::string_view mail = "mail";
/// `work_seen`.
constexpr std::string_view work = "work";
/// `node_report` in, the event's seq out.
constexpr std::string_view tell = "tell";
/// A request of an agent to the hub's API.
constexpr std::string_view http = "http";
/// What the forge has and the node has not: first the offer, then chunks.
constexpr std::string_view fetch = "fetch";
/// A chunk of what a session pushes; the last one has it decided.
constexpr std::string_view push = "push";
/// `{request}` in, `{certificate, credential}` out: the node's next identity.
constexpr std::string_view renew = "renew";
/// `{credential}`: the node has it in place.
constexpr std::string_view renewed = "renewed";
/// `seen_part`; before the hello, with its credential.
constexpr std::string_view seen = "seen";
/// `node_facts`: after each hello, and when they change.
constexpr std::string_view facts = "facts";
/// HUB → NODE.
constexpr std::string_view ensure = "ensure";
constexpr std::string_view stop = "stop";
constexpr std::string_view publish = "publish";
constexpr std::string_view deliver = "deliver";
/// `read_output` in, `output_part` out; its text as bytes.
constexpr std::string_view output = "output";
/// `inspect_worktree` in, `worktree_facts` out.
constexpr std::string_view worktree = "worktree";
/// Look at the agent programs anew, and tell `facts` in any case.
constexpr std::string_view look = "look";
/// `use_terminal` in, `terminal_part` out; what is typed and shown as bytes.
constexpr std::string_view terminal = "terminal";
} // namespace verb

/// A session that a node has, as its files say.
struct held_session {
  session_id session;
  epoch_no epoch = 0;
  run_no run = 0;
};

/// The highest number of its kind that a node has seen: the epoch of a task
/// (`T7`), or the last session of a prefix (`app`).
struct seen_number {
  std::string of;
  std::uint64_t highest = 0;
};

/// What a node has seen, a part at a time, before its hello: so much does not
/// go into one message.
struct seen_part {
  /// As in the hello.
  std::string credential;
  std::vector<seen_number> epochs;
  std::vector<seen_number> numbers;
};

/// So many numbers go into one part: less than `longest_chunk` in any case.
constexpr std::size_t most_seen = 2'500;

/// An agent that cannot start on a node although its program is there.
struct unready_agent {
  std::string agent;
  /// It is not logged in there.
  bool by_login = false;
  /// For people: what is wrong and what to do about it.
  std::string why;
};

/// What of a node changes while it lives.
struct node_facts {
  /// Agents whose program is there.
  std::vector<std::string> agents;
  /// Of them, those that could not start now.
  std::vector<unready_agent> unready;
  /// Bytes that are available.
  std::uint64_t memory = 0;
};

/// The first words of a node.
struct node_hello {
  std::uint32_t protocol = 0;
  node_name name;
  /// What the hub gave it when it joined.
  std::string credential;
  std::uint64_t incarnation = 0;
  /// `0.1.0`, of its program.
  std::string program;
  std::vector<std::string> labels;
  std::uint32_t slots = 0;
  std::uint32_t cores = 0;
  std::uint64_t memory = 0;
  std::vector<std::string> agents;
  std::vector<std::string> projects;
  std::vector<held_session> sessions;
  /// What it remembers beyond them: a hub whose records are older must not give
  /// a number twice. Of nodes that do not tell it before, as `seen_part`.
  std::vector<seen_number> epochs;
  std::vector<seen_number> numbers;
};

/// What the hub has a node know.
struct node_welcome {
  std::uint32_t protocol = 0;
  /// `cluster.heartbeat` and `cluster.lease`, in milliseconds.
  std::uint64_t heartbeat = 0;
  std::uint64_t lease = 0;
  /// `disconnect.stopOnClientAfter` of each project, in milliseconds.
  std::map<std::string, std::uint64_t> stop_after;
  /// Agents and projects, as `node_settings` writes them.
  std::string settings;
  /// The rows of the sessions that the node has named, and of all others that
  /// the hub believes there.
  std::vector<session> sessions;
  /// Of those that the node has named, what is not its any more: to be ended,
  /// and its work parked.
  std::vector<held_session> losers;
  /// Of those, what went to another while the node was lost and may go on
  /// here: its agent is to be ended, and what its worktree has to be told.
  std::vector<held_session> left;
};

/// JSON of each, and back. Errors of the way back: `bad_input`.
#define AO_WIRE(type)                                                          \
  std::string to_wire(const type& x);                                          \
  result<void> from_wire(const std::string& text, type& x);

AO_WIRE(node_hello)
AO_WIRE(node_welcome)
AO_WIRE(seen_part)
AO_WIRE(node_facts)
AO_WIRE(ensure_order)
AO_WIRE(stop_order)
AO_WIRE(publish_order)
AO_WIRE(deliver_message)
AO_WIRE(read_output)
AO_WIRE(output_part)
AO_WIRE(use_terminal)
AO_WIRE(terminal_part)
AO_WIRE(inspect_worktree)
AO_WIRE(worktree_facts)
AO_WIRE(session_report)
AO_WIRE(message_report)
AO_WIRE(work_seen)
AO_WIRE(node_report)

#undef AO_WIRE

/// The value that `text` is, or why it is none.
template <class T>
result<T> read_wire(const std::string& text) {
  T out;
  if (auto ok = from_wire(text, out); !ok)
    return tl::unexpected<error>(ok.error());
  return out;
}

} // namespace ao::msg
