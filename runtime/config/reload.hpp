#pragma once

#include "messages/config_change.hpp"
#include "runtime/config/load.hpp"

#include <string>
#include <vector>

namespace ao {

/// What a hub that runs makes of a file that it has read again.
struct reload_plan {
  /// What counts from now on: keys that take effect at a restart are still as
  /// they were.
  settings next;
  /// The values of `next`, for the next reload.
  std::vector<config_value> shown;
  /// What differs between the file and what counted, in the order of the keys.
  /// What waits for a restart is told each time.
  std::vector<config_change> changed;
};

/// @param running What counts.
/// @param shown Its values.
/// @param read What the file says, valid.
reload_plan plan_reload(const settings& running,
                        const std::vector<config_value>& shown,
                        const config_outcome& read);

/// The ids of notifiers with a change, also of those that are new or gone.
std::vector<std::string>
notifiers_in(const std::vector<config_change>& changed);

} // namespace ao
