#include "runtime/process/key_locks.hpp"

namespace ao {

key_locks::hold key_locks::take(const std::string& key) {
  std::shared_ptr<std::mutex> lock;
  {
    std::lock_guard<std::mutex> guard{mutex_};
    // Keys that nobody holds any more are forgotten on the way.
    for (auto i = locks_.begin(); i != locks_.end();)
      i = i->second.expired() ? locks_.erase(i) : std::next(i);
    auto& known = locks_[key];
    lock = known.lock();
    if (!lock) {
      lock = std::make_shared<std::mutex>();
      known = lock;
    }
  }
  return hold{std::move(lock)};
}

} // namespace ao
