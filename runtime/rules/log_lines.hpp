#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ao {

/// One line of foreign output as plain text for a prompt: without escape
/// sequences and control characters (a tab is a space), of what a progress
/// bar overwrote only the last state, invalid UTF-8 as `?`, and cut behind
/// `most` bytes at a character, with `…`.
std::string readable_line(std::string_view line, std::size_t most = 400);

} // namespace ao
