#include "runtime/io/stop_signal.hpp"

#include <sys/eventfd.h>

namespace ao {

stop_signal::stop_signal() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void stop_signal::raise() {
  raised_.store(true);
  // A counter that is full is readable as well.
  ::eventfd_write(wake_.get(), 1);
}

} // namespace ao
