#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace ao {

/// One lock per key, for work that must not run twice at a time though the
/// actor that began it may be gone: an actor that dies leaves its job running,
/// and its successor's jobs on the same key wait for that one. Thread-safe.
class key_locks {
public:
  /// Holds a key until it goes out of scope.
  class hold {
  public:
    explicit hold(std::shared_ptr<std::mutex> lock)
        : lock_(std::move(lock)), held_(*lock_) {}

  private:
    std::shared_ptr<std::mutex> lock_;
    std::unique_lock<std::mutex> held_;
  };

  /// Waits until nobody holds `key`. Blocks: for jobs and detached actors.
  hold take(const std::string& key);

private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<std::mutex>> locks_;
};

} // namespace ao
