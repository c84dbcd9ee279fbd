#pragma once

#include "messages/change.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// `diff` and the options that make its output the same whatever is
/// configured; `parse_hunks` reads it with `--unified=0` behind them.
std::vector<std::string> plain_diff();

/// Reads the output of `plain_diff` with `--unified=0`: what is replaced of
/// the old side. Lines of content are skipped by their count, since they may
/// look like headers.
std::vector<hunk> parse_hunks(std::string_view diff);

} // namespace ao
