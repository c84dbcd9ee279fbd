#pragma once

#include <cstdint>
#include <optional>

namespace ao {

/// What a whole tree of processes may take; absent = as much as there is.
struct tree_limits {
  /// Bytes of memory.
  std::optional<std::uint64_t> memory;
  /// Processes and threads at once.
  std::optional<std::uint32_t> processes;

  bool any() const { return memory || processes; }
};

inline bool operator==(const tree_limits& a, const tree_limits& b) {
  return a.memory == b.memory && a.processes == b.processes;
}

} // namespace ao
