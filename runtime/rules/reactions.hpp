#pragma once

#include "messages/incident.hpp"
#include "messages/settings.hpp"
#include "runtime/rules/incidents.hpp"

#include <string>

namespace ao {

/// What `escalation:` says of incidents with this cause, with what the
/// original's `reactions:` change of it:
///
///   ci-failed, changes-requested (else bugbot-comments), merge-conflicts
///       auto: false, action: notify   a person is asked at once
///       retries, escalateAfter: n     tries of tier 1, at most 5
///       escalateAfter: 30m            tier 1 ends that long after it began
///   agent-stuck, agent-exited, agent-needs-input (else report-needs-input)
///       action: send-to-agent         tier 1 first, `retries` times, else once
///       auto: false                   a person is asked at once
///   all of them
///       message                       said to the agent beside the facts
///       priority                      of the question to a person
///
/// `agent-stuck.threshold` is `hang.after` (see `hang_of`), and
/// `approved-and-green` is `merge.auto` (see `merges_by_itself`).
///
/// @param project Null: one that is configured no more; only people are left.
escalation_policy escalation_policy_of(const settings& all,
                                       const project_settings* project,
                                       incident_cause cause);

/// What the reaction to the cause has agents told; empty = nothing of its own.
std::string reaction_message(const settings& all,
                             const project_settings& project,
                             incident_cause cause);

} // namespace ao
