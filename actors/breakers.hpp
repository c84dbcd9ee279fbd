#pragma once

#include "actors/hub_context.hpp"
#include "actors/write_turns.hpp"
#include "messages/interfaces/sessions.hpp"
#include "runtime/actor/look_alarm.hpp"
#include "runtime/rules/breakers.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>

namespace ao {

/// State of the BREAKERS.
struct breakers_state {
  static inline const char* name = "breakers";
  hub_context context;

  /// By key of the row, as is what follows.
  std::map<std::string, breaker_memory> memory;

  /// The sessions that its incident was told of in this life.
  std::map<std::string, std::set<session_id>> told;

  /// An input of one breaker, with whom to answer.
  struct call {
    breaker row;
    breaker_input input;
    std::function<void(result<std::uint64_t>)> answer = {};
  };
  write_turns<call> turns;

  look_alarm alarm;
};

/// The breakers of DESIGN §8: agents of one program and account that fail of
/// one cause are held together, and go on together when it is gone.
///
///   failure --> rule --COMMIT--> probe, one that is tried
///                            +--> one incident for all, closed when it heals
///                            +--> SESSIONs that may go on
///
/// Who is held is read from the rows at each look, so nothing is lost with it:
/// what was told in vain is told again. The DISPATCHER reads the rows of open
/// breakers and lets nobody start that they hold.
///
/// @param self The actor handle.
/// @param context The hub.
breakers_actor::behavior_type
breakers(breakers_actor::stateful_pointer<breakers_state> self,
         hub_context context);

} // namespace ao
