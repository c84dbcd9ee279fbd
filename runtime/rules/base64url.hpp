#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ao {

/// The bytes in base64url, without padding.
std::string to_base64url(std::string_view bytes);

/// The bytes that a text of `to_base64url` means. None when a character is
/// foreign or the spare bits are not zero, so that no two texts mean the same
/// bytes.
std::optional<std::string> from_base64url(std::string_view text);

} // namespace ao
