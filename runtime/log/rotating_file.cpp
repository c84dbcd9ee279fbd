#include "runtime/log/rotating_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace ao {
namespace {

namespace fs = std::filesystem;

int open_append(const fs::path& path) {
  // O_NOFOLLOW: nobody may have put a link to elsewhere here.
  return ::open(path.c_str(),
                O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

std::uint64_t size_of(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && info.st_size > 0
    ? static_cast<std::uint64_t>(info.st_size)
    : 0;
}

fs::path numbered(const fs::path& path, std::uint32_t n) {
  return path.string() + "." + std::to_string(n);
}

} // namespace

result<rotating_file> rotating_file::open(fs::path path,
                                          std::uint64_t max_bytes,
                                          std::uint32_t max_files) {
  std::error_code problem;
  auto directory = path.parent_path();
  if (!directory.empty() && fs::create_directories(directory, problem))
    fs::permissions(directory, fs::perms::owner_all, problem);
  int fd = open_append(path);
  if (fd < 0)
    return fail(ec::home_unusable,
                "the log " + path.string() + " cannot be opened: "
                  + std::generic_category().message(errno));
  // It may be older than this rule.
  if (::fchmod(fd, 0600) != 0) {
    auto why = std::generic_category().message(errno);
    ::close(fd);
    return fail(ec::home_unusable,
                "the log " + path.string() + " cannot be made private: " + why);
  }
  auto size = size_of(fd);
  return rotating_file{std::move(path), max_bytes, max_files, fd, size};
}

rotating_file::rotating_file(fs::path path, std::uint64_t max_bytes,
                             std::uint32_t max_files, int fd,
                             std::uint64_t size)
    : path_(std::move(path)),
      max_bytes_(max_bytes),
      max_files_(max_files),
      fd_(fd),
      size_(size) {}

rotating_file::rotating_file(rotating_file&& other) noexcept
    : path_(std::move(other.path_)),
      max_bytes_(other.max_bytes_),
      max_files_(other.max_files_),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      torn_(other.torn_) {}

rotating_file::~rotating_file() {
  if (fd_ >= 0)
    ::close(fd_);
}

void rotating_file::append(std::string_view text) {
  if (size_ > 0 && size_ + text.size() > max_bytes_)
    rotate();
  // What a full disk has cut off is not continued by the next line.
  std::string ended;
  auto torn = std::exchange(torn_, false);
  if (torn) {
    ended = "\n" + std::string{text};
    text = ended;
  }
  auto whole = text.size();
  while (!text.empty()) {
    auto n = ::write(fd_, text.data(), text.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      torn_ = torn || text.size() < whole;
      return;
    }
    size_ += static_cast<std::uint64_t>(n);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void rotating_file::rotate() {
  std::error_code ignored;
  if (max_files_ == 0) {
    fs::remove(path_, ignored);
  } else {
    fs::remove(numbered(path_, max_files_), ignored);
    for (auto n = max_files_; n > 1; --n)
      fs::rename(numbered(path_, n - 1), numbered(path_, n), ignored);
    fs::rename(path_, numbered(path_, 1), ignored);
  }
  int fresh = open_append(path_);
  // Rather a file that is too large than no log at all.
  if (fresh < 0)
    return;
  ::close(fd_);
  fd_ = fresh;
  size_ = size_of(fd_);
}

} // namespace ao
