#include "runtime/config/live_settings.hpp"

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

namespace ao {

struct live_settings::shared {
  std::atomic<const settings*> now{nullptr};
  std::mutex mutex;
  /// Every one that has counted.
  std::vector<std::shared_ptr<const settings>> all;
};

live_settings::live_settings(std::shared_ptr<const settings> first)
    : shared_(std::make_shared<shared>()) {
  replace(std::move(first));
}

const settings& live_settings::operator*() const {
  return *shared_->now.load(std::memory_order_acquire);
}

void live_settings::replace(std::shared_ptr<const settings> next) {
  std::lock_guard<std::mutex> guard{shared_->mutex};
  const auto* now = next.get();
  shared_->all.push_back(std::move(next));
  shared_->now.store(now, std::memory_order_release);
}

} // namespace ao
