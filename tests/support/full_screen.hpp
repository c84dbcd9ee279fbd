#pragma once

#include "tests/support/world.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace ao {

/// Many messages to agents that are full-screen programs as they are: raw
/// terminal, alternate screen, bracketed paste, an input line, dialogs, slow to
/// draw and deaf to every fifth Enter. A person scrolls back in between.
struct full_screen_talk {
  std::size_t sessions = 1;
  /// To each session; beside them it gets some with keys in them.
  std::size_t texts = 10;
  /// How often the hub is killed meanwhile.
  std::size_t deaths = 0;
};

/// What came of it.
struct full_screen_outcome {
  /// What went otherwise than it should: a message that arrived twice,
  /// changed, or not at all though it counts as delivered.
  std::vector<std::string> objections;
  std::size_t sent = 0;
  /// Of those: once and byte for byte.
  std::size_t arrived = 0;
  /// Of which nobody knows, or which could not be delivered; each says so.
  std::size_t told = 0;
};

/// Starts the hub of `w` and talks to the end.
full_screen_outcome talk_full_screen(world& w, const full_screen_talk& what);

/// Options of a world whose agents are left alone with what they do.
world_options full_screen_options();

} // namespace ao
