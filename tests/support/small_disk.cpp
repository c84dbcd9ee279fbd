#include "tests/support/small_disk.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

namespace ao {
namespace {

[[noreturn]] void give_up(const std::filesystem::path& about) {
  throw std::system_error{errno, std::generic_category(), about.string()};
}

} // namespace

bool small_disk::allowed() {
  static const bool yes = [] {
    if (::unshare(CLONE_NEWNS) != 0
        || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      return false;
    auto name
      = (std::filesystem::temp_directory_path() / "ao-mount-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      return false;
    auto mounted = ::mount("ao", name.c_str(), "tmpfs", 0, "size=64k") == 0;
    if (mounted)
      ::umount2(name.c_str(), MNT_DETACH);
    ::rmdir(name.c_str());
    return mounted;
  }();
  return yes;
}

small_disk::small_disk(std::filesystem::path where, std::uint64_t bytes)
    : where_(std::move(where)) {
  std::filesystem::create_directory(where_);
  auto options = "mode=0700,size=" + std::to_string(bytes);
  if (::mount("ao", where_.c_str(), "tmpfs", 0, options.c_str()) != 0)
    give_up(where_);
}

small_disk::~small_disk() {
  ::umount2(where_.c_str(), MNT_DETACH);
}

void small_disk::fill() {
  int fd = ::open(ballast().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    give_up(ballast());
  const std::string block(4096, 'x');
  while (::write(fd, block.data(), block.size()) > 0) {
  }
  auto why = errno;
  ::close(fd);
  errno = why;
  if (why != ENOSPC)
    give_up(ballast());
}

void small_disk::free_again() {
  std::filesystem::remove(ballast());
}

void small_disk::set_read_only(bool yes) {
  auto flags = static_cast<unsigned long>(MS_REMOUNT) | (yes ? MS_RDONLY : 0);
  if (::mount("ao", where_.c_str(), "tmpfs", flags, nullptr) != 0)
    give_up(where_);
}

} // namespace ao
