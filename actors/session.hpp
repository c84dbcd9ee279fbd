#pragma once

#include "actors/hub_context.hpp"
#include "actors/write_turns.hpp"
#include "messages/boxed.hpp"
#include "messages/interfaces/sessions.hpp"
#include "runtime/actor/look_alarm.hpp"
#include "runtime/actor/shared_context.hpp"
#include "runtime/rules/sessions.hpp"

#include <functional>
#include <optional>
#include <random>
#include <string>
#include <variant>

namespace ao {

/// An input of the session's rule, with whom to answer once it is durable.
struct session_call {
  session_input input;
  /// Gets the row as it is then, or the refusal.
  std::function<void(result<session>)> answer = {};
  /// The MAILBOX is told that the SESSION has just started.
  bool first = false;
};

/// A new grant of its claim that is to be asked for.
struct wanted_grant {
  request_id request;
  /// Where it is to go on.
  node_name node;
  /// For the record.
  std::string why;
  resume_reason reason = resume_reason::restore;
  /// Gets the row as it goes on, or why it does not.
  std::function<void(result<session>)> answer = {};
};

/// What a run has delivered.
struct pushed_head {
  epoch_no epoch = 0;
  run_no run = 0;
  std::string sha;
};

/// State of the SESSION.
struct session_actor_state {
  static inline const char* name = "session";
  shared_context<hub_context> context;
  std::optional<session_machine> machine;

  write_turns<session_call> turns;

  /// The run whose delayed restart is armed; 0 = none.
  run_no armed_run = 0;

  /// It is to go on under a new grant; nothing else is decided meanwhile.
  bool regranting = false;
  /// The grant, until the REGISTRY is asked for it.
  boxed<wanted_grant> wanted;
  /// The head that the present run has pushed, until its change is open.
  boxed<pushed_head> pushed;
  /// Orders that were not taken since its row has changed.
  int refusals = 0;
  look_alarm alarm;

  /// Spreads restarts; a small one, as there are many sessions.
  std::minstd_rand random{std::random_device{}()};
};

/// Policy and row of one agent's session. Every input goes the same way:
///
///   input --> rule --> COMMIT --> adopt --> effects (orders, news) --> answer
///                         +--failed--> answer the error, quit with it
///                         +--disk takes no writes--> answer the error, wait
///
/// The next input of this session waits meanwhile. At its start it reads its
/// row and repeats what may have been left undone.
///
/// @param self The actor handle.
/// @param context The hub.
/// @param id The session.
session_actor::behavior_type
session_keeper(session_actor::stateful_pointer<session_actor_state> self,
               shared_context<hub_context> context, session_id id);

} // namespace ao
