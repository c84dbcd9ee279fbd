#pragma once

#include "messages/actor_name.hpp"
#include "messages/supervision.hpp"
#include "messages/time.hpp"

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/spawn_options.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace ao {

/// When a child counts as started.
enum class child_ready : std::uint8_t {
  /// When its behaviour runs and it waits for nothing (`await`) in it. An actor
  /// that awaits hears neither exit nor kill, so such waits have deadlines.
  runs = 0,
  /// When it has answered `ready_atom`: supervisors, and whoever has more to
  /// do than fits its first moment.
  answers = 1,
};

/// A child as data: what to start, when to start it again, how to stop it.
struct child_spec {
  /// Its id below its supervisor and its name in the directory.
  actor_name name;

  /// Spawns the actor, in a thread of its own when `detached`. May throw or
  /// return nothing; both are a failed start.
  std::function<caf::actor(caf::actor_system& system, bool detached)> start;

  restart_kind restart = restart_kind::permanent;

  /// How long it may take to be ready; `milliseconds::max()` = no limit.
  milliseconds start_within = std::chrono::seconds{60};

  /// How long it may take to end when asked, before it is killed;
  /// `milliseconds::max()` = no limit, zero = kill at once.
  milliseconds stop_within = std::chrono::seconds{5};

  /// It blocks, so it runs in a thread of its own.
  bool detached = false;

  child_ready ready = child_ready::runs;
};

/// The start function that spawns `fun(self, xs...)`, a fresh copy of the
/// arguments each time. The actor begins with its first message, which comes
/// after its name is in the directory.
template <class F, class... Ts>
auto starts(F fun, Ts... xs) {
  return [=](caf::actor_system& system, bool detached) {
    if (detached)
      return caf::actor_cast<caf::actor>(
        system.spawn<caf::detached + caf::lazy_init>(fun, xs...));
    return caf::actor_cast<caf::actor>(
      system.spawn<caf::lazy_init>(fun, xs...));
  };
}

} // namespace ao
