#pragma once

#include "tests/support/fake_gateway.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ao {

/// Notifications that are to get through a bad day of a gateway.
struct notification_storm {
  std::size_t notifications = 100;
  /// How often the hub is killed meanwhile.
  std::size_t kills = 2;
  /// The share of requests that something happens to, in percent.
  int mishaps = 40;
  /// The gateway loses its memory of keys as often as the hub is killed.
  bool forgets = false;
  gateway_setup gateway = {};
  /// Of the notifier.
  std::string session_key_prefix = {};
  std::uint32_t seed = 1;
};

/// What came of it.
struct storm_end {
  /// What went otherwise than it should; nothing = it held.
  std::vector<std::string> objections;
  std::size_t requests = 0;
  /// Texts that a person has read, and those of them read twice.
  std::size_t read = 0;
  std::size_t twice = 0;
  /// Texts that were refused.
  std::size_t dead = 0;
  /// Requests during a pause that the gateway had asked for, and those of a
  /// text that it had refused.
  std::size_t hasty = 0;
  std::size_t stubborn = 0;
};

/// Has a hub of its own send them, and says what the gateway and the hub saw.
/// A hub that is killed may repeat what it had no time to put on record: one
/// attempt for each that was under way.
storm_end weather(const notification_storm& what);

} // namespace ao
