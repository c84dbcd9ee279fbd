#pragma once

#include "messages/change.hpp"
#include "messages/session.hpp"
#include "messages/settings.hpp"
#include "runtime/api/requests.hpp"

namespace ao::api {

/// What `POST /changes/<id>/claim` comes to.
struct takeover_plan {
  /// Of the session that is to work on the change; without `own`.
  msg::open_session open;
  /// Of the change.
  project_id project;
  /// The session that was named and works on the change already.
  row_ptr<session> own;
  /// The session whose agent goes on so, and which has to have a clean
  /// worktree; null when nobody was named.
  row_ptr<session> mover;
  /// The session that holds the task now; null when nobody does.
  row_ptr<session> holder;
};

/// Checks everything that can be said by the rows. `session` of the body is
/// whose agent is to go on with the change; without it a new one does. Errors:
/// `change_closed`, `task_closed`, `wrong_state` (what was named is no worker,
/// holds no task or has an open change itself; the task is worked on in another
/// change), `session_closed`, `no_such_session`, `no_such_project`,
/// `bad_input`, `prompt_too_long`.
result<takeover_plan> plan_takeover(const row_view& rows, const settings& all,
                                    const change& c, const json& body,
                                    const request_id& id);

/// Refuses whose worktree is not clean.
result<void> check_clean(const session& s, const worktree_facts& seen);

} // namespace ao::api
