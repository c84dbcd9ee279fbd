#pragma once

#include "messages/error.hpp"

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace ao {

/// A file that is appended to and moved aside when it is full. Unlike
/// spdlog's it is made with mode 0600 and closed in child processes. Not
/// thread-safe: its owner is one thread.
class rotating_file {
public:
  /// Opens or makes the file. Errors: `home_unusable`.
  static result<rotating_file> open(std::filesystem::path path,
                                    std::uint64_t max_bytes,
                                    std::uint32_t max_files);

  rotating_file(rotating_file&& other) noexcept;
  rotating_file& operator=(rotating_file&& other) = delete;
  ~rotating_file();

  /// Appends; moves the file aside before, when it would grow too large. A
  /// full disk loses the text: there is nowhere left to say so.
  void append(std::string_view text);

private:
  rotating_file(std::filesystem::path path, std::uint64_t max_bytes,
                std::uint32_t max_files, int fd, std::uint64_t size);

  void rotate();

  std::filesystem::path path_;
  std::uint64_t max_bytes_;
  std::uint32_t max_files_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  /// The last line was cut off.
  bool torn_ = false;
};

} // namespace ao
