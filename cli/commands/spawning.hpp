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

/// Waits until the agent of a session that was just opened is alive, or queued
/// with the reason. Errors: as `start_session`.
result<nlohmann::json> await_start(invocation& what,
                                   const nlohmann::json& session,
                                   milliseconds allowed);

/// Has a change taken over and waits as `start_session` does: the hub's answer,
/// with change and session as they are then.
/// @param change Its id or number.
/// @param body What `POST /changes/<id>/claim` takes.
result<nlohmann::json> take_over(invocation& what, const std::string& change,
                                 nlohmann::json body, bool wait,
                                 milliseconds allowed);

/// Says what `take_over` has answered, for people.
void print_takeover(output& out, const nlohmann::json& answer);

} // namespace ao::cli
