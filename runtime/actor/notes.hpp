#pragma once

#include "messages/supervision.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace ao {

/// What supervisors have decided and the JOURNAL has not recorded yet. It
/// outlives the JOURNAL, so that its own end is recorded by the next one.
/// Thread-safe; bounded, the oldest goes first.
class supervisor_notes {
public:
  /// More than this has a common cause that the first ones tell.
  static constexpr std::size_t capacity = 1000;

  struct numbered {
    std::uint64_t number = 0;
    supervisor_note note;
  };

  void push(supervisor_note note) {
    std::lock_guard<std::mutex> guard{mutex_};
    notes_.push_back({++last_, std::move(note)});
    if (notes_.size() <= capacity)
      return;
    notes_.pop_front();
    ++lost_;
  }

  /// The oldest; stays until `done` with its number.
  std::optional<numbered> front() const {
    std::lock_guard<std::mutex> guard{mutex_};
    if (notes_.empty())
      return std::nullopt;
    return notes_.front();
  }

  void done(std::uint64_t number) {
    std::lock_guard<std::mutex> guard{mutex_};
    if (!notes_.empty() && notes_.front().number == number)
      notes_.pop_front();
  }

  /// How many were dropped since the last call.
  std::uint64_t take_lost() {
    std::lock_guard<std::mutex> guard{mutex_};
    return std::exchange(lost_, 0);
  }

private:
  mutable std::mutex mutex_;
  std::deque<numbered> notes_;
  std::uint64_t last_ = 0;
  std::uint64_t lost_ = 0;
};

} // namespace ao
