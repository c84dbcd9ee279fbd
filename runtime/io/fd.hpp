#pragma once

#include "messages/error.hpp"
#include "runtime/home/files.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace ao {

/// Owns one file descriptor; -1 = none.
class unique_fd {
public:
  unique_fd() = default;
  explicit unique_fd(int fd) : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(other.release()) {}
  unique_fd& operator=(unique_fd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~unique_fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

private:
  int fd_ = -1;
};

/// `<what>: <strerror(errno)>`, to be called right after the failed call.
std::string errno_text(std::string_view what);

/// Both ends of a pipe, close-on-exec and never on a standard descriptor.
struct pipe_ends {
  unique_fd read;
  unique_fd write;
};

/// Errors: `process_failed`.
result<pipe_ends> make_pipe();

/// Errors: `process_failed`.
result<void> set_nonblocking(int fd);

/// The whole file, at most `limit` bytes (a longer one is `too_large`).
/// Errors: `process_failed` naming path and reason.
result<std::string> read_whole_file(const std::string& path, std::size_t limit);

} // namespace ao
