#include "runtime/io/fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ao {
namespace {

/// Descriptors 0 to 2 of a child are made by dup2; a pipe must not sit there
/// (it does when our own standard streams are closed).
int above_standard(int fd) {
  if (fd < 0 || fd > 2)
    return fd;
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  int why = errno;
  close(fd);
  errno = why;
  return moved;
}

} // namespace

void unique_fd::reset(int fd) {
  if (fd_ >= 0)
    close(fd_);
  fd_ = fd;
}

std::string errno_text(std::string_view what) {
  return std::string{what} + ": " + std::strerror(errno);
}

result<pipe_ends> make_pipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0)
    return fail(ec::process_failed, errno_text("cannot make a pipe"));
  pipe_ends ends{unique_fd{above_standard(fds[0])},
                 unique_fd{above_standard(fds[1])}};
  if (!ends.read || !ends.write)
    return fail(ec::process_failed, errno_text("cannot move a pipe"));
  return ends;
}

result<void> set_nonblocking(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
    return fail(ec::process_failed, errno_text("cannot set O_NONBLOCK"));
  return {};
}

result<std::string> read_whole_file(const std::string& path,
                                    std::size_t limit) {
  unique_fd fd{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd)
    return fail(ec::process_failed, errno_text("cannot open " + path));
  std::string bytes;
  char chunk[65536];
  for (;;) {
    auto n = read(fd.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fail(ec::process_failed, errno_text("cannot read " + path));
    if (n == 0)
      return bytes;
    if (bytes.size() + static_cast<std::size_t>(n) > limit)
      return fail(ec::too_large,
                  path + " is over " + std::to_string(limit) + " bytes");
    bytes.append(chunk, static_cast<std::size_t>(n));
  }
}

} // namespace ao
