#pragma once

#include "actors/hub_context.hpp"
#include "actors/write_turns.hpp"
#include "messages/interfaces/escalation.hpp"
#include "runtime/notify/http_call.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/rules/clock_steps.hpp"
#include "runtime/rules/outbox.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <variant>

namespace ao {

/// State of the OUTBOX.
struct outbox_actor_state {
  static inline const char* name = "outbox";

  outbox_actor_state();
  /// Attempts under way end without an answer: whoever comes next makes them
  /// again.
  ~outbox_actor_state();

  hub_context context;
  /// The notifier.
  std::string id;
  environment env;
  outbox_state box;

  /// Rows that others have written are to be taken in.
  struct look {};
  /// An input of the rule, or what becomes one when its turn comes, with whom
  /// to answer once it is durable.
  struct call {
    std::variant<outbox_input, look, msg::test_notification,
                 msg::retry_notification>
      what;
    std::function<void(result<notification>)> answer;
  };
  write_turns<call> turns;

  /// The moment for which a look is armed.
  std::optional<wall_time> armed;
  clock_steps clock;
  std::mt19937 dice;
  notify::stop_flag stop;
};

/// Sends the notifications of one notifier. Every input goes the same way:
///
///   new rows, end of an attempt, a moment, a request
///     --> rule --> COMMIT --> adopt --> attempts as jobs --> answer
///                     +--failed--> answer the error, quit with it
///
/// What is to be sent is in the rows, and an attempt whose end was not
/// committed is made again with the same bytes and the same key. Each attempt
/// has a thread of its own; a gateway that hangs delays nobody.
///
/// @param self The actor handle.
/// @param context The hub.
/// @param id A notifier of the configuration.
outbox_actor::behavior_type
outbox(outbox_actor::stateful_pointer<outbox_actor_state> self,
       hub_context context, std::string id);

} // namespace ao
