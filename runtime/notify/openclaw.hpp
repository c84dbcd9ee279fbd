#pragma once

#include "messages/settings.hpp"
#include "runtime/notify/outcome.hpp"

#include <string>

/// An OpenClaw gateway, of any generation of its hooks. What is sent is fixed
/// by the notification's key and form; see `OPENCLAW.md` of the docs.
namespace ao::notify {

/// Where the gateway keeps its own token.
inline constexpr const char* openclaw_config = "/.openclaw/openclaw.json";

/// `hooks.token` of the gateway's configuration, variables of this process
/// replaced as the gateway does; empty when there is none.
/// @param home Of the user.
std::string token_of_gateway(const std::string& home);

/// The request. A gateway that may tell how its runs end is asked to, and then
/// has 75 s to answer.
/// @param token Sent as bearer; empty = none.
http_call openclaw_call(const notifier_settings& to, const notification& n,
                        const std::string& token);

/// What the answer means:
///
///   200, 202        accepted; delivered when the gateway proves it
///   200, but the run failed   at once again under a new key, twice
///   400 sessionKey  at once again without a session key, from then on
///   409             at once again in a fresh session
///   all others      see `read_failure`
send_outcome read_openclaw(const notifier_settings& to, const notification& n,
                           const http_reply& reply, wall_time now);

} // namespace ao::notify
