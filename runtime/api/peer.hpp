#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace ao::api {

/// The `AO_TOKEN` of `pid`, or of the nearest process above it, that was
/// started with `AO_SOCKET=<agent_socket>`: so an agent that was given the
/// operator's socket, or whose child dropped its environment, is still that
/// session. None for everybody else. Reads /proc; a guard against mistakes,
/// not against a hostile process of the same user.
std::optional<std::string> token_of_process(pid_t pid,
                                            const std::string& agent_socket);

} // namespace ao::api
