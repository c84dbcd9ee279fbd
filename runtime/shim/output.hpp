#pragma once

#include "runtime/io/fd.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ao {

/// The output of a CI command on its way to a file: kept up to a cap, drained
/// to the end, the last lines remembered whatever the cap.
class shim_output_file {
public:
  /// Errors: `process_failed`.
  result<void> open(const std::string& path, std::uint64_t cap);

  /// Reads at most 64 kB from `pipe`; false at its end.
  bool take(int pipe);

  /// Takes what waits in the pipe, but not what is written later.
  void take_rest(int pipe);

  /// Whether the file lacks something: over the cap, or the disk is full.
  bool truncated() const { return truncated_; }

  /// At most `count` lines from the end.
  std::vector<std::string> last_lines(std::size_t count) const;

private:
  void keep(const char* bytes, std::size_t size);

  unique_fd file_;
  std::uint64_t room_ = 0;
  bool truncated_ = false;
  /// The end of the output.
  std::string tail_;
};

/// The last `count` lines of `text`, without trailing empty ones.
std::vector<std::string> last_lines_of(const std::string& text,
                                       std::size_t count);

} // namespace ao
