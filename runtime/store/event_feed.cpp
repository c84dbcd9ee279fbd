#include "runtime/store/event_feed.hpp"

#include <algorithm>
#include <deque>
#include <utility>

namespace ao {

/// Recursive, so that a callback may end its own subscription.
struct subscription::subscriber {
  std::recursive_mutex busy;
  event_feed::callback callback;
};

subscription::subscription(subscription&& other) noexcept
    : subscriber_(std::exchange(other.subscriber_, nullptr)) {}

subscription& subscription::operator=(subscription&& other) noexcept {
  subscription old{std::move(*this)};
  subscriber_ = std::exchange(other.subscriber_, nullptr);
  return *this;
}

subscription::~subscription() {
  if (!subscriber_)
    return;
  event_feed::callback old;
  std::lock_guard<std::recursive_mutex> guard{subscriber_->busy};
  old.swap(subscriber_->callback);
}

struct event_feed::impl {
  mutable std::shared_mutex mutex;
  std::deque<event_ptr> ring;
  std::uint64_t last_seq = 0;

  std::mutex subscribers_mutex;
  std::vector<std::weak_ptr<subscription::subscriber>> subscribers;

  /// Those who are still there; forgets the others.
  std::vector<std::shared_ptr<subscription::subscriber>> present() {
    std::vector<std::shared_ptr<subscription::subscriber>> out;
    std::lock_guard<std::mutex> guard{subscribers_mutex};
    auto gone = [&](const auto& weak) {
      auto strong = weak.lock();
      if (!strong)
        return true;
      out.push_back(std::move(strong));
      return false;
    };
    subscribers.erase(
      std::remove_if(subscribers.begin(), subscribers.end(), gone),
      subscribers.end());
    return out;
  }
};

event_feed::event_feed() : impl_(std::make_unique<impl>()) {}
event_feed::~event_feed() = default;

std::optional<std::vector<event_ptr>>
event_feed::events_after(std::uint64_t after, std::size_t limit,
                         const std::optional<std::string>& subject) const {
  std::shared_lock<std::shared_mutex> guard{impl_->mutex};
  const auto& ring = impl_->ring;
  if (after >= impl_->last_seq)
    return std::vector<event_ptr>{};
  if (ring.empty() || after + 1 < ring.front()->seq)
    return std::nullopt;
  auto first = std::upper_bound(
    ring.begin(), ring.end(), after,
    [](std::uint64_t seq, const event_ptr& e) { return seq < e->seq; });
  std::vector<event_ptr> out;
  for (; first != ring.end() && out.size() < limit; ++first)
    if (!subject || (*first)->subject == *subject)
      out.push_back(*first);
  return out;
}

std::uint64_t event_feed::last_seq() const {
  std::shared_lock<std::shared_mutex> guard{impl_->mutex};
  return impl_->last_seq;
}

subscription event_feed::subscribe(callback f) {
  subscription out;
  out.subscriber_ = std::make_shared<subscription::subscriber>();
  out.subscriber_->callback = std::move(f);
  std::lock_guard<std::mutex> guard{impl_->subscribers_mutex};
  impl_->subscribers.push_back(out.subscriber_);
  return out;
}

void event_feed::load(std::vector<event> tail, std::uint64_t last_seq) {
  std::deque<event_ptr> ring;
  auto skip = tail.size() > capacity ? tail.size() - capacity : 0;
  for (auto i = skip; i < tail.size(); ++i)
    ring.push_back(std::make_shared<const event>(std::move(tail[i])));
  std::unique_lock<std::shared_mutex> guard{impl_->mutex};
  impl_->ring.swap(ring);
  impl_->last_seq = last_seq;
}

void event_feed::append(std::vector<event_ptr> fresh) {
  if (fresh.empty())
    return;
  std::unique_lock<std::shared_mutex> guard{impl_->mutex};
  impl_->last_seq = fresh.back()->seq;
  for (auto& e : fresh)
    impl_->ring.push_back(std::move(e));
  while (impl_->ring.size() > capacity)
    impl_->ring.pop_front();
}

void event_feed::tell() {
  auto last = last_seq();
  for (const auto& subscriber : impl_->present()) {
    std::lock_guard<std::recursive_mutex> guard{subscriber->busy};
    // A copy, because the callback may end its own subscription.
    if (auto call = subscriber->callback)
      call(last);
  }
}

} // namespace ao
