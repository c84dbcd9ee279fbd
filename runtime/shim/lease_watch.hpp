#pragma once

#include "messages/time.hpp"
#include "runtime/home/home.hpp"
#include "runtime/io/fd.hpp"

#include <optional>
#include <string>

namespace ao {

/// Stands in for the process of a node that has died: an agent must have ended
/// before the hub gives its task to another (DESIGN section 11), whoever is
/// left to end it. While that process lives the fence is its own. Blocking, for
/// as long as a small file takes.
class lease_watch {
public:
  /// Watches nothing.
  lease_watch() = default;

  /// Errors: `process_failed`, also where nothing can be watched.
  /// @param node_home With its `lease.json`; empty = there is no lease.
  /// @param project Whose limit counts.
  static result<lease_watch> of(const std::string& node_home,
                                const std::string& project);

  /// Becomes readable when `is_over` is to be asked; invalid where nothing is
  /// watched. It goes on while the host sleeps.
  const unique_fd& timer() const { return timer_; }

  /// Whether nobody but us can end the agent, and it has to end. Sets the
  /// timer anew.
  bool is_over();

private:
  void wake_at(mono_time when);

  std::optional<home> node_;
  std::string project_;
  unique_fd timer_;
};

} // namespace ao
