#pragma once

#include "messages/time.hpp"

#include <cstdint>
#include <string>

namespace ao::msg {

/// RETENTION → STORE: forget events and the answers to requests from before
/// these moments.
struct purge_past {
  wall_time events_before{};
  wall_time answers_before{};
};

struct purged_past {
  std::uint64_t events = 0;
  std::uint64_t answers = 0;
};

/// API → STORE: a consistent copy into a file that is not there yet.
struct back_up {
  /// Absolute.
  std::string path;
};

struct backed_up {
  std::string path;
  std::uint64_t bytes = 0;
};

} // namespace ao::msg
