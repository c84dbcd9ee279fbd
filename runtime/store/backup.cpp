#include "runtime/store/backup.hpp"

#include "runtime/io/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace ao {
namespace {

std::string reason() {
  return std::generic_category().message(errno);
}

/// Makes the file and its name durable.
bool sync_with_name(int fd, const std::string& path) {
  auto dir = path.substr(0, path.rfind('/') + 1);
  unique_fd folder{::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  return ::fsync(fd) == 0 && folder && ::fsync(folder.get()) == 0;
}

} // namespace

result<std::uint64_t> back_up_into(store& db, const std::string& path) {
  if (path.empty() || path[0] != '/')
    return fail(ec::bad_input, "path: expected an absolute one");
  // SQLite takes an empty file, and keeps its mode.
  unique_fd file{::open(
    path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file)
    return fail(ec::bad_input, path + ": cannot be made: " + reason());
  auto written = db.backup(path);
  if (written && !sync_with_name(file.get(), path))
    written = fail(ec::store_failed, path + ": not durable: " + reason());
  struct stat info {};
  if (!written || ::fstat(file.get(), &info) != 0) {
    ::unlink(path.c_str());
    return fail(written ? error{ec::store_failed, path + ": " + reason()}
                        : written.error());
  }
  return static_cast<std::uint64_t>(info.st_size);
}

} // namespace ao
