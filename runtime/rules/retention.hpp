#pragma once

#include "messages/session.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ao {

/// What is to become of a session that has ended.
enum class session_fate : std::uint8_t {
  /// It stays as it is.
  keep,
  /// Its worktree, pane and branch go, after its work is saved.
  clean_up,
  /// Its files go; its row stays, as ids are never given twice.
  remove_files,
};

/// @param keep For how long after its end nothing happens to it.
session_fate fate_of(const session& s, wall_time now, milliseconds keep);

/// A log, or a directory of them.
struct kept_log {
  std::string path;
  std::uint64_t bytes = 0;
  /// When it was last written.
  wall_time at{};
  /// It is being written: never removed.
  bool in_use = false;
};

/// What goes, oldest first, so that the rest takes no more than `most` bytes.
/// What is in use counts, and stays.
std::vector<std::string> logs_to_remove(std::vector<kept_log> all,
                                        std::uint64_t most);

} // namespace ao
