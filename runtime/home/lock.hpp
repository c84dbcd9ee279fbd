#pragma once

#include "messages/error.hpp"
#include "runtime/home/home.hpp"

#include <sys/types.h>

#include <optional>

namespace ao {

/// The exclusive lock on a home: whoever holds it is the hub. An
/// open-file-description lock, so it ends with the process whatever way that
/// ends, and no child inherits it.
class home_lock {
public:
  /// Takes the lock and writes the pid into its file. Errors:
  /// `hub_already_running` (detail `pid`), `home_unusable`.
  static result<home_lock> take(const home& where);

  home_lock(home_lock&& other) noexcept;
  home_lock& operator=(home_lock&& other) noexcept;

  /// Releases it.
  ~home_lock();

private:
  explicit home_lock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

/// Who holds the lock.
struct lock_holder {
  /// 0 when it cannot be told (another pid namespace).
  pid_t pid = 0;
};

/// Who holds the lock, without taking it; none when nobody does or there is
/// no such home. Errors: `home_unusable` when the lock cannot be read.
result<std::optional<lock_holder>> find_lock_holder(const home& where);

} // namespace ao
