#pragma once

#include <cstdint>
#include <string>

namespace ao {

/// What this host has left. A number that cannot be read is the largest one:
/// what is not known holds nothing up.
struct host_capacity {
  /// `MemAvailable` of /proc/meminfo, in bytes.
  std::uint64_t memory = 0;
  /// Bytes that this user may still write where `path` is.
  std::uint64_t disk = 0;
};

host_capacity free_capacity(const std::string& path);

} // namespace ao
