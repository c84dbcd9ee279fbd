#pragma once

#include "messages/error.hpp"
#include "runtime/process/process_table.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// Processor time and processes of all marked runs of this host (`AO_MARK`),
/// taken with one look at the process table: what one run costs must not grow
/// with the number of runs. Thread-safe.
class cpu_times {
public:
  /// Looks at every process. Blocks for as long as reading /proc takes.
  /// Errors: `process_failed`; what was known before stays.
  result<void> refresh();

  /// Clock ticks that all who carry the mark, or stand below one that does,
  /// had spent at the last look; 0 when there were none.
  std::uint64_t of(std::string_view mark) const;

  /// Those who carry the mark, or stood below one that does, at the last look.
  std::vector<process_entry> members(std::string_view mark) const;

private:
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<process_entry>, std::less<>> runs_;
};

} // namespace ao
