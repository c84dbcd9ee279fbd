#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/tasks.hpp"

#include <utility>

namespace ao {

/// What a session of a role has in common with others of its project; branch,
/// change and head are empty: a worktree at the project's branch, nobody's
/// work.
/// @param subject What it claims: `role/...`.
inline msg::open_session role_session_of(const project_settings& project,
                                         session_role role,
                                         std::string subject) {
  msg::open_session out;
  out.project = project.id;
  out.role = role;
  out.subject = std::move(subject);
  out.session_prefix = project.session_prefix;
  out.base = project.default_branch;
  out.node = node_name{"local"};
  return out;
}

/// Has the REGISTRY open the session of a role (reviewer, mediator,
/// orchestrator); a repeat,
/// and one whose subject is held already, finds the session that there is.
/// Exactly one of the two is called: `on_session` with its id, or `on_error`.
template <class Self, class OnSession, class OnError>
void open_role_session(Self* self, const hub_context& context,
                       msg::open_session wanted, OnSession on_session,
                       OnError on_error) {
  ask<registry_actor>(self, context, "registry"_name, registry_deadline,
                      std::move(wanted))
    .then([on_session](
            const msg::opened_session& made) { on_session(made.opened.id); },
          [on_session, on_error](const caf::error& why) {
            auto known = to_ao_error(why);
            auto holder = detail_of(known, "holder");
            if (known.code == ec::task_already_claimed && !holder.empty())
              on_session(session_id{holder});
            else
              on_error(why);
          });
}

} // namespace ao
