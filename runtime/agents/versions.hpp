#pragma once

#include "runtime/agents/adapter.hpp"

#include <string>
#include <string_view>

namespace ao {

/// Why an agent program may behave otherwise than its adapter expects; empty =
/// `version` is within what the adapter was tested with.
///
/// Versions are compared number by number, whatever follows their numbers.
/// @param version As the program tells it; empty = it tells none.
std::string version_warning(const agent_adapter& adapter,
                            std::string_view version);

} // namespace ao
