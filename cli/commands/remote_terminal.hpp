#pragma once

#include "cli/command.hpp"

#include <string>

namespace ao::cli {

/// Looks at the terminal of a session on another node, through the hub: keys
/// and the size of the window go there, what it shows is shown here. Ends with
/// its tmux client (the keys that detach, the end of the session), by that
/// client's exit status, and with 128 and the number of a signal that ends this
/// process. The user's terminal is then as it was before. Errors: those of
/// `POST /sessions/<id>/terminal`; `not_reachable` when hub or node are lost
/// meanwhile; `bad_input` without `TERM`.
/// @param node Where the session is, for people.
outcome look_through_hub(const http::api_client& api,
                         const std::string& session, const std::string& node);

} // namespace ao::cli
