#pragma once

#include "runtime/io/fd.hpp"

#include <atomic>

namespace ao {

/// Tells threads that wait for sockets to stop, once and for good. Safe from
/// any thread.
class stop_signal {
public:
  stop_signal();

  void raise();
  bool raised() const { return raised_.load(); }

  /// Readable from `raise` on, to be polled beside what is waited for; -1
  /// where the process has no descriptor left.
  int descriptor() const { return wake_.get(); }

private:
  std::atomic<bool> raised_{false};
  unique_fd wake_;
};

} // namespace ao
