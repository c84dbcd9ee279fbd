#pragma once

#include "messages/settings.hpp"
#include "runtime/notify/outcome.hpp"
#include "runtime/process/environment.hpp"

namespace ao::notify {

/// Makes one attempt at a notification through its channel, and reads what
/// came of it; blocks, at most for `longest_send`. Nothing of it is logged
/// here, and no secret is in the outcome.
/// @param env Of the hub.
/// @param stop Ends the attempt early.
send_outcome send(const notifier_settings& to, const notification& n,
                  const environment& env, const stop_flag& stop);

/// The longest that `send` takes.
milliseconds longest_send(const notifier_settings& to);

} // namespace ao::notify
