#pragma once

#include "messages/event.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

namespace ao {

using event_ptr = std::shared_ptr<const event>;

/// Ends its subscription when it goes; afterwards the callback is not running
/// and never runs again.
class subscription {
public:
  subscription() = default;
  subscription(subscription&& other) noexcept;
  subscription& operator=(subscription&& other) noexcept;
  ~subscription();

private:
  friend class event_feed;
  struct subscriber;
  std::shared_ptr<subscriber> subscriber_;
};

/// The newest events, in a ring, and those who want to hear of new ones.
/// Thread-safe.
class event_feed {
public:
  /// How many events the ring keeps.
  static constexpr std::size_t capacity = 4096;

  event_feed();
  ~event_feed();

  /// Called with the newest seq after each committed group that has events, on
  /// the thread of the store and outside all locks of the feed. Must not
  /// block; a group may be told again, so look at the seq.
  using callback = std::function<void(std::uint64_t last_seq)>;

  /// At most `limit` events after the cursor, oldest first; those of one
  /// subject when it is given. None at all (`nullopt`) when the ring does not
  /// reach back to the cursor: the store has to be asked then.
  std::optional<std::vector<event_ptr>>
  events_after(std::uint64_t after, std::size_t limit,
               const std::optional<std::string>& subject = std::nullopt) const;

  /// The cursor of the newest event; 0 = none yet.
  std::uint64_t last_seq() const;

  /// Tells `f` of every group from now on.
  subscription subscribe(callback f);

  /// Replaces all (start of the store): the newest events, oldest first, and
  /// the newest seq ever given. Tells no one.
  void load(std::vector<event> tail, std::uint64_t last_seq);

  /// Appends committed events, in order of their seq. Tells no one.
  void append(std::vector<event_ptr> fresh);

  /// Tells all subscribers of the newest seq.
  void tell();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace ao
