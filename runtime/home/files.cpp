#include "runtime/home/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ao {
namespace {

/// A file descriptor that closes itself.
class descriptor {
public:
  explicit descriptor(int fd) : fd_(fd) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

private:
  int fd_;
};

auto failed(const std::string& path, const char* what) {
  return fail(ec::home_unusable,
              path + ": cannot " + what + ": " + std::strerror(errno));
}

std::string parent_of(const std::string& path) {
  auto slash = path.find_last_of('/');
  if (slash == std::string::npos)
    return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

/// Length of the UTF-8 sequence at the front of `s`, 0 when there is none.
std::size_t sequence_length(std::string_view s) {
  auto at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  auto lead = at(0);
  if (lead < 0x80)
    return 1;
  std::size_t n = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || s.size() < n)
    return 0;
  for (std::size_t i = 1; i < n; ++i)
    if ((at(i) & 0xC0) != 0x80)
      return 0;
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  if ((lead == 0xE0 && at(1) < 0xA0) || (lead == 0xED && at(1) > 0x9F)
      || (lead == 0xF0 && at(1) < 0x90) || (lead == 0xF4 && at(1) > 0x8F))
    return 0;
  return n;
}

} // namespace

result<void> write_file_durably(const std::string& path, std::string_view bytes,
                                mode_t mode) {
  auto temporary = path + ".XXXXXX";
  descriptor file{::mkostemp(temporary.data(), O_CLOEXEC)};
  if (!file)
    return failed(path, "make a file beside it");
  auto give_up = [&](const char* what) {
    auto why = failed(path, what);
    ::unlink(temporary.c_str());
    return why;
  };
  if (!write_all(file.get(), bytes))
    return give_up("write");
  if (::fchmod(file.get(), mode) != 0)
    return give_up("set the mode");
  if (::fsync(file.get()) != 0)
    return give_up("sync");
  if (::rename(temporary.c_str(), path.c_str()) != 0)
    return give_up("rename");
  descriptor directory{
    ::open(parent_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!directory || ::fsync(directory.get()) != 0)
    return failed(path, "sync its directory");
  return {};
}

result<void> try_to_write(const std::string& dir, std::size_t size) {
  auto path = dir + "/.try-XXXXXX";
  descriptor file{::mkostemp(path.data(), O_CLOEXEC)};
  if (!file)
    return failed(dir, "make a file in it");
  ::unlink(path.c_str());
  if (!write_all(file.get(), std::string(size, '\0')))
    return failed(dir, "write a file in it");
  if (::fsync(file.get()) != 0)
    return failed(dir, "sync a file in it");
  return {};
}

result<std::string> read_file(const std::string& path, std::size_t limit) {
  descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file)
    return failed(path, "open");
  return read_stream(file.get(), path, limit);
}

result<std::string> read_stream(int fd, const std::string& name,
                                std::size_t limit) {
  std::string out;
  char chunk[16384];
  for (;;) {
    auto n = ::read(fd, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return failed(name, "read");
    if (n == 0)
      return out;
    out.append(chunk, static_cast<std::size_t>(n));
    if (out.size() > limit)
      return fail(ec::too_large,
                  name + " is larger than " + std::to_string(limit) + " bytes");
  }
}

result<void> make_directories(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0)
    return {};
  if (errno == ENOENT && parent_of(path) != path) {
    if (auto made = make_directories(parent_of(path), mode); !made)
      return made;
    if (::mkdir(path.c_str(), mode) == 0)
      return {};
  }
  auto why = errno;
  struct stat there {};
  if (why == EEXIST && ::stat(path.c_str(), &there) == 0
      && S_ISDIR(there.st_mode))
    return {};
  errno = why == EEXIST ? ENOTDIR : why;
  return failed(path, "make the directory");
}

bool is_clean_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    auto n = bytes[0] == '\0' ? 0 : sequence_length(bytes);
    if (n == 0)
      return false;
    bytes.remove_prefix(n);
  }
  return true;
}

} // namespace ao
