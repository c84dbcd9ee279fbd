#pragma once

#include "messages/time.hpp"

#include <cstdint>
#include <vector>

namespace ao {

/// How often a child may be restarted, and how soon.
struct restart_limits {
  /// So many restarts are allowed within `period`; one more fails.
  std::uint32_t intensity = 3;
  milliseconds period = std::chrono::seconds{60};

  /// Pause before the first restart within a period; doubles with each
  /// further one, up to `max_delay`. Zero: at once, always.
  milliseconds delay{0};
  milliseconds max_delay = std::chrono::minutes{5};

  /// Share of the pause by which it is lengthened or shortened, 0..1, so that
  /// those who died together do not return together.
  double jitter = 0.25;
};

/// The pause before restart number `n` (from 1) of a period.
/// @param draw A number of 0..1 from outside; 0.5 is the middle.
milliseconds restart_delay(const restart_limits& limits, std::uint32_t n,
                           double draw);

/// Counts restarts within a sliding period.
class restart_window {
public:
  /// Records a restart at `now`, which never goes back.
  /// @returns false when that is one more than `intensity` allows. A restart
  ///          exactly one period ago still counts.
  bool record(const restart_limits& limits, mono_time now);

  /// Restarts within the period that ended with the last `record`.
  std::uint32_t count() const {
    return static_cast<std::uint32_t>(restarts_.size());
  }

private:
  /// Oldest first. No deque: that takes 576 bytes for none, of every child.
  std::vector<mono_time> restarts_;
};

} // namespace ao
