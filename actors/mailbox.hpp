#pragma once

#include "actors/hub_context.hpp"
#include "actors/write_turns.hpp"
#include "messages/interfaces/sessions.hpp"
#include "runtime/actor/shared_context.hpp"
#include "runtime/rules/clock_steps.hpp"
#include "runtime/rules/messages.hpp"

#include <functional>
#include <variant>

namespace ao {

/// State of the MAILBOX.
struct mailbox_actor_state {
  static inline const char* name = "mailbox";
  shared_context<hub_context> context;
  mailbox_state box;

  /// An input of the rule, with whom to answer once it is durable.
  struct call {
    std::variant<mailbox_input, msg::send_message> what;
    std::function<void(result<message>)> answer;
  };
  write_turns<call> turns;

  /// The moment for which a look is armed.
  std::optional<wall_time> armed;

  /// Deadlines of messages move with the wall clock when it is set.
  clock_steps clock;
};

/// The messages to one session, and the one writer of their rows. Started by
/// the first message (or, after a restart of the hub, by one that is open),
/// lives as long as the session. Every input goes the same way:
///
///   message, word of the node, news of the session
///     --> rule --> COMMIT --> adopt --> orders to node and session --> answer
///                     +--failed--> answer the error, quit with it
///
/// What the node was told is in the rows before it is told; after a crash it
/// is asked again, and its notes say whether something was typed.
///
/// @param self The actor handle.
/// @param context The hub.
/// @param id The session.
mailbox_actor::behavior_type
mailbox(mailbox_actor::stateful_pointer<mailbox_actor_state> self,
        shared_context<hub_context> context, session_id id);

} // namespace ao
