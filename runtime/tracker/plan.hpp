#pragma once

#include "messages/requests.hpp"
#include "messages/settings.hpp"
#include "runtime/rules/backlog.hpp"
#include "runtime/store/row_view.hpp"

#include <optional>
#include <string>

namespace ao {

/// What the registry is asked to add for a backlog of `project`: each item
/// under its canonical key, needs by id, key or task. A need that the backlog
/// ticks off, and of which no task is known, is met.
/// @param source As `backlog_source` names it.
/// Errors, with the line of the item: `bad_input` (an agent that does not
/// exist, a key that is too long), `no_such_task` (a need).
result<std::vector<msg::add_task>>
plan_import(const row_view& rows, const settings& all,
            const project_settings& project, const backlog& what,
            const std::string& source);

/// Whose backlog may know a task called `name` that the hub does not know;
/// none for what is no reference of a tracker, or where no backlog is.
/// @param project The one that a bare name is of; empty = not known.
std::optional<project_id> project_with_backlog(const settings& all,
                                               const std::string& name,
                                               const project_id& project);

/// Whether a known task is not what the backlog says of it now.
bool differs(const task& known, const msg::add_task& item);

} // namespace ao
