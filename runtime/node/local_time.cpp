#include "runtime/node/local_time.hpp"

#include <ctime>

namespace ao {

local_clock local_clock_at(wall_time now) {
  auto seconds = static_cast<std::time_t>(
    std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch())
      .count());
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return {now, std::chrono::seconds{local.tm_gmtoff}};
}

} // namespace ao
