#pragma once

#include "runtime/home/home.hpp"
#include "runtime/rules/inventory.hpp"

#include <vector>

namespace ao {

/// What lies in this home, by session: directories, worktrees, and shims that
/// answer. Panes are the TMUX's to tell. Blocks. Errors: `home_unusable`.
result<std::vector<found_session>> look_around(const home& place);

} // namespace ao
