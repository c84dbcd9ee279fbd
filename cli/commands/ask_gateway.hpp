#pragma once

#include "cli/command.hpp"
#include "runtime/notify/gateway_probe.hpp"

#include <string>

namespace ao::cli {

/// Looks whether a gateway takes notifications, without a run of its agent.
/// The request is made by `ao-hub`, see `run_probe`; takes at most some
/// seconds.
/// @param token Empty = none.
notify::gateway_probe ask_gateway(const invocation& what,
                                  const std::string& url,
                                  const std::string& token);

} // namespace ao::cli
