#pragma once

#include "messages/incident.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace ao {

/// Telegram cuts at 4,096 (OPENCLAW.md §9).
constexpr std::size_t longest_notification = 3'500;

/// At most `most` bytes, cut at the beginning of a character, with `…`.
std::string cut(std::string text, std::size_t most);

/// The first two lines of every notification (CONTRACT §9).
/// @param who A session, or what else is spoken of; `-` when it is empty.
/// @param about The case.
std::string notification_heading(priority p, std::string_view who,
                                 std::string_view kind, std::string_view about);

} // namespace ao
