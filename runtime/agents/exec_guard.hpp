#pragma once

#include "messages/error.hpp"
#include "messages/ids.hpp"
#include "messages/session.hpp"

#include <string>

namespace ao {

/// Where the exec guard of a session is, below the session's directory.
std::string exec_guard_of(const std::string& session_directory);

/// Whether sessions of this role must not start agent programs: those that
/// hand work out or judge it. An agent that is started by hand from there is
/// supervised by nobody and gone with its terminal.
bool has_exec_guard(session_role role);

/// Makes the guard: for each known agent program a script of its name, which
/// says the `ao spawn` line and ends with exit status 6. Stands in front of
/// PATH; a program named by its whole path is not held up, so this is against
/// mistakes, not against malice. Blocking. Errors: `home_unusable`.
result<void> make_exec_guard(const std::string& session_directory,
                             const session_id& session, session_role role);

} // namespace ao
