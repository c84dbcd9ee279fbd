#include "runtime/io/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
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

result<void> write_all(int fd, std::string_view bytes,
                       const std::string& path) {
  while (!bytes.empty()) {
    auto n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fail(ec::process_failed, errno_text("cannot write " + path));
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

std::string directory_of(const std::string& path) {
  auto slash = path.rfind('/');
  if (slash == std::string::npos)
    return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
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

result<void> write_file_durably(const std::string& path, std::string_view bytes,
                                unsigned mode) {
  std::string temp = path + ".XXXXXX";
  unique_fd fd{mkostemp(temp.data(), O_CLOEXEC)};
  if (!fd)
    return fail(ec::process_failed, errno_text("cannot create " + temp));
  auto give_up = [&](error why) -> result<void> {
    unlink(temp.c_str());
    return fail(std::move(why));
  };
  auto failed = [&](const char* verb) {
    return give_up({ec::process_failed,
                    errno_text(std::string{"cannot "} + verb + " " + temp)});
  };
  if (fchmod(fd.get(), mode) != 0)
    return failed("chmod");
  if (auto ok = write_all(fd.get(), bytes, temp); !ok)
    return give_up(ok.error());
  if (fsync(fd.get()) != 0)
    return failed("fsync");
  if (rename(temp.c_str(), path.c_str()) != 0)
    return failed("rename");
  auto dir = directory_of(path);
  unique_fd dir_fd{open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!dir_fd || fsync(dir_fd.get()) != 0)
    return fail(ec::process_failed, errno_text("cannot fsync " + dir));
  return {};
}

} // namespace ao
