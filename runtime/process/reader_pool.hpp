#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace ao {

/// A few threads for work that blocks for a moment only, such as reading the
/// small files of one session: ten thousand of those at once must not be ten
/// thousand threads. Nothing that waits for a process or the network belongs
/// here: it would hold the others up.
class reader_pool {
public:
  /// Starts the threads.
  explicit reader_pool(std::size_t threads);

  /// Waits for the work under way; what has not begun is dropped.
  ~reader_pool();

  reader_pool(const reader_pool&) = delete;
  reader_pool& operator=(const reader_pool&) = delete;

  /// Has `work`, which must not throw, done by one of the threads, first come
  /// first served. Safe from any thread; never blocks.
  void post(std::function<void()> work);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace ao
