#pragma once

#include "messages/time.hpp"

#include <chrono>
#include <optional>

namespace ao {

/// Notices when somebody has set the wall clock: it and the monotonic clock
/// then have gone on by different lengths.
class clock_steps {
public:
  /// Less than this is drift.
  static constexpr milliseconds least{1000};

  /// How far the wall clock was set forward (or back, negative) since the last
  /// call; zero at the first.
  milliseconds since_last(wall_time wall, mono_time mono) {
    auto ahead = wall.time_since_epoch()
      - std::chrono::duration_cast<milliseconds>(mono.time_since_epoch());
    auto by = ahead_ ? ahead - *ahead_ : milliseconds{0};
    ahead_ = ahead;
    return by >= least || -by >= least ? by : milliseconds{0};
  }

private:
  std::optional<milliseconds> ahead_;
};

} // namespace ao
