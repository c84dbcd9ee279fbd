#pragma once

#include "runtime/log/log.hpp"

#include <functional>
#include <string>

namespace ao {

class directory;

/// What every actor of a host shares; passed by value to each behaviour and
/// kept in its state.
struct actor_context {
  /// The names of the host; outlives every actor.
  directory* names = nullptr;

  /// Takes one line of the log; never blocks. Empty: nothing is logged.
  std::function<void(log_level, const std::string&)> log = {};

  /// Whether specifications that ask for a thread get one. False in the
  /// deterministic fixture, where everything is pooled.
  bool threads = true;

  /// Hands one line to the log.
  void say(log_level level, const std::string& line) const {
    if (log)
      log(level, line);
  }
};

} // namespace ao
