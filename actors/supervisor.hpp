#pragma once

#include "actors/child_spec.hpp"
#include "messages/interfaces/supervision.hpp"
#include "runtime/actor/context.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/rules/supervision.hpp"

#include <caf/actor.hpp>
#include <caf/error.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

namespace ao {

/// What a supervisor reports; each may be empty. Called in the supervisor's
/// own context, so they only send messages or count.
struct supervisor_hooks {
  /// A child has ended and will be started again after `delay`; `restarts`
  /// counts this one, within the period.
  std::function<void(const std::string& id, const error& reason,
                     std::uint32_t restarts, milliseconds delay)>
    on_restart = {};

  /// A dynamic child was over its limit and is removed; its siblings live.
  std::function<void(const std::string& id, const error& reason)> on_given_up
    = {};

  /// A child did not die by `kill`; `total` counts those so far.
  std::function<void(const std::string& id, std::uint64_t total)> on_abandoned
    = {};
};

/// Makes the specification of the child called `id`, which becomes its name as
/// well; an error is the answer of `start_child`.
using child_factory = std::function<result<child_spec>(const std::string& id)>;

/// A supervisor as data.
struct supervisor_spec {
  /// For the log.
  std::string name;

  supervision_rule rule;

  /// Those to begin with, in start order.
  std::vector<child_spec> children = {};

  /// Makes the children of `start_child`; none can be added without it.
  child_factory factory = {};

  /// Further ones to begin with, made by the factory. One that it cannot make
  /// is reported as given up.
  std::vector<std::string> keys = {};

  supervisor_hooks hooks = {};
};

/// State of the SUPERVISOR.
struct supervisor_state {
  static inline const char* name = "supervisor";

  using child_promise = caf::typed_response_promise<child_info>;
  using list_promise = caf::typed_response_promise<child_list>;

  /// One child and its present process.
  struct slot {
    caf::actor handle;
    directory::ticket ticket = 0;
    std::uint64_t incarnation = 0;
    /// Why the last process has ended.
    caf::error reason;
  };

  /// By the child's id, which is its name too.
  using slot_map = std::unordered_map<std::string, slot>;

  supervisor_state() = default;
  supervisor_state(const supervisor_state&) = delete;
  supervisor_state& operator=(const supervisor_state&) = delete;

  /// Takes the children along when the supervisor dies out of order; after an
  /// orderly stop there are none.
  ~supervisor_state();

  /// Names and log of the host.
  actor_context context;

  /// What the log calls it.
  std::string title;

  child_factory factory;
  supervisor_hooks hooks;

  /// Decides; the rest of the state carries it out.
  std::optional<supervision> rule;

  slot_map slots;

  /// Of those to begin with, by id. The factory makes the others' anew for each
  /// start: there may be very many.
  std::unordered_map<std::string, child_spec> specs;

  /// Whose process an actor is.
  std::unordered_map<caf::actor_id, slot_map::value_type*> processes;

  /// Timers of the rule, by the moment at which they are due: those of children
  /// that start together are one for the clock.
  std::map<mono_time, std::vector<std::uint64_t>> timers;

  /// Who waits for a child to be ready, or down.
  std::unordered_map<std::string, std::vector<child_promise>> starters;
  std::unordered_map<std::string, std::vector<child_promise>> stoppers;

  /// Who waits for all of them.
  std::vector<list_promise> waiting;
  bool up = false;

  /// Set by the rule while it takes a command that does not apply.
  std::optional<error> refusal;

  /// What we were told to end with.
  caf::error exit_reason;

  /// Events that came up while one was being carried out.
  std::deque<supervision::event> backlog;
  bool busy = false;

  std::mt19937_64 random{std::random_device{}()};
};

/// Starts its children in order, restarts them by rule, stops them in reverse.
///
///   start --all ready--> running --exit_msg--> stop in reverse --> quit
///     |                    |                                       (reason
///     |                    +--over the limit--> stop in reverse     of the
///     |                                         --> quit(last       exit)
///     +--a start fails--> stop in reverse           reason)
///                         --> quit(its reason)
///
/// Which child starts, waits or goes is decided by runtime/rules/supervision;
/// the actor spawns, monitors, names and ends. It answers while children wait
/// for a restart or a deadline. A supervisor that dies itself takes its
/// children along, without order.
///
/// @param self The actor handle.
/// @param context Names and log of the host.
/// @param spec Children, strategy, limits, hooks.
supervisor_actor::behavior_type
supervisor(supervisor_actor::stateful_pointer<supervisor_state> self,
           actor_context context, supervisor_spec spec);

/// The specification of a supervisor below another one: no stop deadline, as
/// its own children have theirs, and ready when all of them are.
child_spec supervisor_child(actor_name name, actor_context context,
                            supervisor_spec spec);

} // namespace ao
