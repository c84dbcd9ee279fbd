#pragma once

#include "messages/change.hpp"
#include "messages/incident.hpp"
#include "messages/session.hpp"
#include "messages/task.hpp"
#include "runtime/rules/sessions.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ao {

/// The subject of a mediator's claim: `role/mediation/<incident>/<round>`.
std::string mediator_subject(const incident& i);

/// The incident of such a subject; empty for others.
incident_id incident_in_subject(const std::string& subject);

/// What the session `s` of a mediator is told by its incident: to end when its
/// verdict is in or is wanted no more; nothing while it is waited for.
std::optional<session_input> word_to_mediator(const session& s,
                                              const incident* i);

/// The prompt of a mediator.
std::string mediation_prompt(const incident& i, const task* t, const change* c);

/// The same for a standing orchestrator, which has no worktree of its own at
/// the head and gets the dossier with it.
std::string orchestrator_brief(const incident& i, const task* t,
                               const change* c, const session* s);

/// `AO_DOSSIER` (CONTRACT §9), JSON text.
std::string dossier_of(const incident& i, const task* t, const change* c,
                       const session* s);

} // namespace ao
