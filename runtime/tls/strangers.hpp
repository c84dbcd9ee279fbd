#pragma once

#include "messages/time.hpp"

#include <cstddef>
#include <mutex>
#include <vector>

namespace ao::tls {

/// Connections at a port whose other side has not proven who it is, so that
/// nobody keeps others out by saying nothing, or little: each is cut when its
/// time is over, and the oldest when there are too many. So a flood delays who
/// has a right to come in, and does not keep it out for ever. Knows sockets by
/// their number and closes none: it shuts them down, and the owner's next read
/// fails. Thread-safe.
class strangers {
public:
  /// @param most At a time.
  /// @param limit How long one may stay a stranger.
  strangers(std::size_t most, milliseconds limit);

  /// A connection was taken in.
  void admit(int fd, mono_time now);

  /// It has proven who it is, or is about to be closed; must be said before
  /// that, as the number may be another's then.
  void dismiss(int fd);

  /// Cuts those whose time is over.
  void sweep(mono_time now);

  /// How many have neither proven anything nor been cut.
  std::size_t count() const;

private:
  struct stranger {
    int fd;
    mono_time since;
  };

  std::size_t most_;
  milliseconds limit_;
  mutable std::mutex mutex_;
  /// In the order in which they came.
  std::vector<stranger> all_;
};

} // namespace ao::tls
