#pragma once

#include "messages/event.hpp"
#include "messages/session.hpp"
#include "messages/supervision.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace ao {

/// What the record says of a supervisor's decision. Its subject is what the
/// child works on: `session:app-7` for `session/app-7`, `runner/app-7` and
/// `mailbox/app-7`, `task:T4`, `change:app#3`; `hub` for all others.
event event_of(const supervisor_note& note);

/// The row of a session whose actor was given up: parked, with the reason.
/// Empty when there is nothing to park, as it has ended or is parked.
std::optional<session> parked_by_supervisor(const session& row,
                                            const supervisor_note& note);

/// Why the task of a child that was given up is parked.
std::string why_parked(const supervisor_note& note);

} // namespace ao
