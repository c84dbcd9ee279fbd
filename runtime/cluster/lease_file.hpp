#pragma once

#include "messages/error.hpp"
#include "messages/time.hpp"
#include "runtime/home/home.hpp"

#include <map>
#include <optional>
#include <string>

namespace ao {

/// A moment on the clock of leases, which goes on while the host sleeps
/// (CLOCK_BOOTTIME).
mono_time lease_clock();

/// What a node keeps of its lease over the deaths of its process: its agents
/// live on, and the hub may be away when the next life begins.
struct kept_lease {
  /// When it was renewed last, by CLOCK_BOOTTIME.
  mono_time renewed{};
  /// After so long without a renewal the agents of a project have to end.
  std::map<std::string, milliseconds> stop_after;
};

/// Replaces `lease.json` in the node's home, whole but not durably: no agent
/// outlives its host. Errors: `home_unusable`.
result<void> keep_lease(const home& place, const kept_lease& x);

/// Nothing where there is none of this boot, or none that can be read: a hub
/// that greets us tells a new one.
std::optional<kept_lease> read_lease(const home& place);

/// The hub knows that this node has gone, and gives nothing of it away.
void forget_lease(const home& place);

} // namespace ao
