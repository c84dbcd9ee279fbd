#pragma once

#include <cstddef>
#include <string_view>

namespace ao {

/// Longest title of a task, in bytes.
constexpr std::size_t longest_title = 500;

/// Longest label, key, reference or name of an agent, in bytes.
constexpr std::size_t longest_word = 200;

/// Where `s` stops being UTF-8 (overlong forms, surrogates and what is above
/// U+10FFFF are none); its size when all of it is.
std::size_t first_not_utf8(std::string_view s);

bool is_utf8(std::string_view s);

/// Whether there is a C0 control or DEL, thus also a tab or the end of a line.
bool has_control(std::string_view s);

/// One line that can be shown, stored and passed on: 1 to `longest_word` bytes.
bool is_word(std::string_view s);

/// `s` without blanks, tabs and carriage returns at its ends.
std::string_view trimmed(std::string_view s);

} // namespace ao
