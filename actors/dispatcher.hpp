#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/tasks.hpp"
#include "runtime/actor/look_alarm.hpp"
#include "runtime/rules/blast_radius.hpp"
#include "runtime/rules/dispatch.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace ao {

/// State of the DISPATCHER.
struct dispatcher_state {
  static inline const char* name = "dispatcher";
  hub_context context;

  /// Sessions that were given a slot and have not left the queue yet, and
  /// where.
  std::map<session_id, node_name> granted;

  /// Tasks for which a session is being opened.
  std::set<task_id> opening;

  /// When a task may be tried again after its spawn was refused.
  std::map<task_id, mono_time> not_before;

  /// Pauses of tasks whose sessions have failed, after so many failures.
  struct backoff {
    std::uint32_t failures = 0;
    mono_time ends{};
  };
  std::map<task_id, backoff> backoffs;

  /// Starts of the last minute, for the pace.
  std::vector<mono_time> starts;

  /// Agents that have died and the run that did, as of the last look.
  std::map<session_id, run_no> dead;
  /// False until the first look, which only takes in what is.
  bool looked = false;
  blast_state blast;

  /// When the next agent of an account whose login works again may start.
  std::map<std::string, mono_time> next_of_account;

  /// Set while nothing may start.
  std::string held_because;

  look_alarm alarm;
  /// When the last one was.
  mono_time looked_at{};

  /// Since when reasons are counted, and how many were changed.
  mono_time reasons_since{};
  std::size_t reasons = 0;

  /// The disk takes no writes: looks again when it does.
  bool stalled = false;
};

/// Who starts now. Everything it needs is in the rows; what it remembers is
/// only what it has just said.
///
///   look --> candidates and load from the rows --rule--> slot to a session
///                                              --------> session for a task
///                                              --------> reason to who waits
///
/// @param self The actor handle.
/// @param context The hub.
dispatcher_actor::behavior_type
dispatcher(dispatcher_actor::stateful_pointer<dispatcher_state> self,
           hub_context context);

} // namespace ao
