#pragma once

#include "messages/error.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// What becomes of the siblings when a child is restarted.
enum class restart_strategy : std::uint8_t {
  /// Only the child itself.
  one_for_one = 0,
  /// All of them, stopped in reverse and started in order.
  one_for_all = 1,
  /// The child and those to the right of it.
  rest_for_one = 2,
  /// Children come and go by key, each with a limit of its own; one over its
  /// limit is given up and the others live.
  dynamic = 3,
};

/// When a child that has ended is started again.
enum class restart_kind : std::uint8_t {
  /// Always.
  permanent = 0,
  /// After an error only.
  transient = 1,
  /// Never.
  temporary = 2,
};

/// What a child is doing, as `list_children` tells it.
enum class child_phase : std::uint8_t {
  /// Ended or stopped; its specification is kept.
  stopped = 0,
  /// Between an end and the restart.
  waiting = 1,
  /// Spawned, not ready yet.
  starting = 2,
  running = 3,
  /// Asked to end.
  stopping = 4,
  /// Over its stop deadline and killed.
  killing = 5,
};

std::string_view to_string(restart_strategy x);
std::string_view to_string(restart_kind x);
std::string_view to_string(child_phase x);

/// One child of a supervisor.
struct child_info {
  std::string id;
  child_phase phase = child_phase::stopped;
  restart_kind kind = restart_kind::permanent;
  /// Grows with each start; 0 = never started.
  std::uint64_t incarnation = 0;
  /// Restarts within the current period.
  std::uint32_t restarts = 0;

  friend bool operator==(const child_info& a, const child_info& b) {
    return a.id == b.id && a.phase == b.phase && a.kind == b.kind
      && a.incarnation == b.incarnation && a.restarts == b.restarts;
  }
};

/// What a supervisor has decided about one of its children.
struct supervisor_note {
  enum class verdict : std::uint8_t {
    /// It ended and is started again, after `delay`.
    restarted = 0,
    /// It was over its limit and is removed; its siblings live.
    given_up = 1,
    /// It did not die by `kill` and is no longer waited for.
    abandoned = 2,
  };
  verdict what = verdict::restarted;
  std::string supervisor;
  /// Its name in the directory, e.g. `session/app-7`.
  std::string child;
  /// Why its last process has ended.
  error reason;
  /// This one included, within the period of the limit.
  std::uint32_t restarts = 0;
  milliseconds delay{0};
  wall_time at{};
};

} // namespace ao
