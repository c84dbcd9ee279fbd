#pragma once

#include "runtime/rules/failures.hpp"

namespace ao {

/// This host's local time then, for what its programs say about times.
local_clock local_clock_at(wall_time now);

} // namespace ao
