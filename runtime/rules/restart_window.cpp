#include "runtime/rules/restart_window.hpp"

#include <algorithm>
#include <cmath>

namespace ao {

milliseconds restart_delay(const restart_limits& limits, std::uint32_t n,
                           double draw) {
  if (limits.delay.count() <= 0)
    return milliseconds{0};
  auto doublings = static_cast<int>(std::min(n > 0 ? n - 1 : 0, 62u));
  auto nominal
    = std::ldexp(static_cast<double>(limits.delay.count()), doublings);
  auto cap
    = static_cast<double>(std::max(limits.delay, limits.max_delay).count());
  auto share
    = std::clamp(limits.jitter, 0., 1.) * (2. * std::clamp(draw, 0., 1.) - 1.);
  return milliseconds{std::llround(std::min(nominal, cap) * (1. + share))};
}

bool restart_window::record(const restart_limits& limits, mono_time now) {
  auto counts
    = [&](mono_time restart) { return now - restart <= limits.period; };
  restarts_.erase(restarts_.begin(),
                  std::find_if(restarts_.begin(), restarts_.end(), counts));
  restarts_.push_back(now);
  return restarts_.size() <= limits.intensity;
}

} // namespace ao
