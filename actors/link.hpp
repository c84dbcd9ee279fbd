#pragma once

#include "actors/node_context.hpp"
#include "messages/interfaces/cluster.hpp"
#include "messages/wire.hpp"
#include "runtime/cluster/membership_file.hpp"
#include "runtime/cluster/seen_numbers.hpp"
#include "runtime/rules/membership.hpp"

#include <caf/actor_clock.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

namespace ao {

/// What a LINK needs of its process.
struct link_host {
  /// Where the hub is, and who we are there.
  node_membership hub;
  /// This start of `ao-node`; grows with each.
  std::uint64_t incarnation = 0;
  std::string program;
  std::uint32_t slots = 0;
  /// What of this host a hello tells: agents, projects, sessions.
  std::function<msg::node_hello()> describe;
  /// Which agents of the hub's settings could start here now; blocks, as it
  /// asks their programs.
  std::function<msg::node_facts(const std::string& settings)> probe;
  /// What this node has seen, on its disk; never null.
  std::shared_ptr<seen_numbers> seen;
  /// The hub has told its settings, for the first time or others.
  std::function<void(const std::string& settings)> told;
  /// The hub will not have this node; trying again does not help.
  std::function<void(const error&)> refused;
  /// Kills what runs of these sessions' projects, at once; blocks.
  std::function<void(const std::string& project)> fence;
};

/// State of the LINK.
struct link_state {
  static inline const char* name = "link";
  node_context context;
  link_host host;

  /// The hub's FRONT DOOR; null while there is no connection.
  caf::strong_actor_ptr door;
  /// Grows with each connection, and as one is given up: what was asked over
  /// another says nothing about this one.
  std::uint64_t connection = 0;
  /// Calls of the node's parts that the hub has not answered. A connection that
  /// ends takes the answers with it, and CAF says nothing.
  std::map<std::uint64_t, caf::typed_response_promise<msg::wire_reply>> pending;
  std::uint64_t calls = 0;
  bool dialling = false;
  /// The hello was answered.
  bool greeted = false;
  /// A beat is on its way.
  bool beating = false;
  caf::actor_clock::time_point dial_at{};
  /// Failed tries since the last connection.
  std::uint32_t tries = 0;
  /// Beats in a row that nobody has answered.
  std::uint32_t unanswered = 0;

  /// What was given to others and is being ended, or has been, in this life:
  /// the hub names it in each welcome, as our files know it.
  std::set<std::tuple<std::string, epoch_no, run_no>> given_up;

  /// A step to the next certificate is under way, or due then.
  bool renewing = false;
  caf::actor_clock::time_point renew_at{};
  /// The end of the present one was said.
  bool expired = false;

  /// What was found last, and what of it the hub has.
  std::optional<msg::node_facts> facts;
  std::optional<msg::node_facts> told_facts;
  /// As the hub has told them last.
  std::string settings;
  /// A look at the agent programs is under way; when the last one was, unless
  /// one is due at once.
  bool probing = false;
  std::optional<caf::actor_clock::time_point> probed_at;
  caf::actor_clock::time_point weigh_at{};

  milliseconds heartbeat{1'000};
  own_lease lease;
  /// `stopOnClientAfter` of each project, and which were fenced since then.
  std::map<std::string, milliseconds> stop_after;
  std::map<std::string, bool> fenced;
  /// What runs of those is being killed.
  bool killing = false;
  /// The lease is being written down.
  bool keeping = false;
};

/// A node's end of the connection to its hub:
///
///   dial --> hello --> welcome: settings, times --> beat, beat, …
///     |        |--refused for good --> the process ends, its agents go on
///     |        +--no answer--> dial again
///     +--nobody there--> again, each pause up to twice as long, with jitter
///   each renewal of its lease is written down: a next life that finds no hub
///     goes on from there
///   no beat answered for `stopOnClientAfter` --> the project's agents are
///     killed before the hub may start others (the fence)
///   two thirds of its certificate's life are over --> a new key, signed by
///     the hub, shown, put in the place of the old one (link_renewal.cpp)
///   calls of the hub --> UPLINK; calls of the node's parts --> hub, refused
///     as `not_reachable` once their connection is given up
///
/// @param self The actor handle.
/// @param context The node.
/// @param host The process.
link_actor::behavior_type
node_link_keeper(link_actor::stateful_pointer<link_state> self,
                 node_context context, link_host host);

/// Calls the hub from a thread that may block. Errors: those of the hub;
/// `not_reachable` without a connection or when it ends, `timed_out`,
/// `shutting_down`.
result<msg::wire_reply> call_hub_now(caf::actor_system& system,
                                     const directory& names,
                                     msg::call_hub call);

} // namespace ao
