#pragma once

#include "runtime/config/check.hpp"
#include "runtime/config/load.hpp"

#include <vector>

namespace ao {

/// Every key that has a value, with where it comes from: written ones as
/// `<file>:<line>`, the others as `default` or `derived`. Secrets read `***`.
///
/// @param all The settings that were bound from `values`.
std::vector<config_value>
show_config(const settings& all,
            const std::map<std::string, checked_value>& values,
            const std::string& file);

} // namespace ao
