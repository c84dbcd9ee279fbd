#pragma once

#include "messages/incident.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ao {

/// Notifications that are sent as one text, and the rows that say so.
struct digest_rows {
  /// The texts to be sent, in order; each at most `longest_digest` bytes
  /// unless a single notification is longer. Versions are 1.
  std::vector<notification> parts;
  /// The notifications, each naming its part; versions are one more.
  std::vector<notification> members;
};

/// As `notification_text`: what fits a message of any channel.
constexpr std::size_t longest_digest = 3'500;

/// Puts notifications of one channel together.
/// @param number Of the channel's digests, 1, 2, …
/// @param members At least one, in the order in which they are told.
digest_rows make_digest(const std::string& channel, std::uint64_t number,
                        std::vector<notification> members, wall_time now);

/// Whether the row is a digest, and the number of a channel's digest.
bool is_digest(const notification& n);
std::uint64_t digest_number(const notification& n);

} // namespace ao
