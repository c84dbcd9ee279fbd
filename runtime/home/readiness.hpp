#pragma once

#include "messages/error.hpp"

#include <nlohmann/json.hpp>

namespace ao {

/// The variable that tells a hub started by `ao start` the number of the
/// inherited pipe on which it reports, one JSON line and once:
/// `{"ready":true,"pid":…,"socket":…,"startedAt":…,"adopted":…}` when the API
/// answers, or `{"error":<problem document>}` when it cannot start. End of
/// file without a line means that it died.
constexpr const char* readiness_variable = "AO_READY_FD";

/// Takes the pipe out of the environment (so that no child inherits the
/// variable) and marks it close-on-exec; -1 when there is none. Call it first
/// thing in the hub's main, before any thread.
int take_readiness_pipe();

/// Writes the line and closes the pipe; nothing when `fd` is -1. The starter
/// being gone is not an error.
void report_readiness(int fd, const nlohmann::json& line);

} // namespace ao
