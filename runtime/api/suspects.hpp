#pragma once

#include "messages/json.hpp"
#include "messages/task.hpp"
#include "runtime/store/row_view.hpp"

#include <functional>

namespace ao::api {

/// The tasks that may be the same work as `t`, earlier and later ones: each
/// `{task, title, state, session, score, reason, held}`. `session`
/// holds `task` or did; `held`: one of the two waits for the other.
/// @param open_only Without pairs of which one is closed.
json suspects_of(const row_view& rows, const task& t, bool open_only);

/// The pairs of open tasks, both sides named, by the later one:
/// `{task, title, session, other, otherTitle, otherSession, score, reason,
/// held}`.
/// @param shown Whether the asker may see the later task.
json suspected_pairs(const row_view& rows,
                     const std::function<bool(const task&)>& shown);

} // namespace ao::api
