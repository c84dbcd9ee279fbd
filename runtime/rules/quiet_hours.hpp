#pragma once

#include "messages/settings.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace ao {

/// Reads `22:00-07:00`, of which the end may be on the next day; nothing when
/// it is not of that form or begins when it ends.
std::optional<quiet_hours> quiet_hours_from(std::string_view text);

/// Whether the moment is within, by a clock that is `utc_offset` ahead of
/// UTC. The first minute is within, the last one is not.
bool is_quiet(const quiet_hours& hours, wall_time t,
              std::chrono::minutes utc_offset);

/// When the quiet hours end that `t` is within.
wall_time quiet_until(const quiet_hours& hours, wall_time t,
                      std::chrono::minutes utc_offset);

} // namespace ao
