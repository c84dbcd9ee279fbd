#pragma once

#include "cli/command.hpp"

#include <string>

namespace ao::cli {

/// Has a session opened as `body` asks, and waits until its agent is alive, or
/// queued with the reason. Safe for several threads at once.
/// @param request Its request id: repeating it repeats the answer.
/// @param wait False: returns as soon as it is recorded.
/// Errors: those of the hub, `saga_failed` (details session), `timed_out`.
result<nlohmann::json>
start_session(invocation& what, const nlohmann::json& body,
              const std::string& request, bool wait, milliseconds allowed);

} // namespace ao::cli
