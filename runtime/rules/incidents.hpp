#pragma once

#include "messages/error.hpp"
#include "messages/event.hpp"
#include "messages/incident.hpp"
#include "messages/session.hpp"
#include "runtime/rules/incident_causes.hpp"
#include "runtime/rules/verdicts.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ao {

/// What the configuration says about incidents of one project and cause; see
/// `escalation_policy_of`.
struct escalation_policy {
  /// The tier that it begins with.
  incident_tier first = incident_tier::self_heal;
  /// Tries of tier 1 for one cause; they never come back.
  std::uint32_t self_heals = 5;
  /// Tier 1 ends so long after it was opened; nothing = only by its tries.
  std::optional<milliseconds> heal_for;
  /// Of its questions.
  priority urgency = priority::action;
  /// A try, and the outcome of a verdict or an answer, is waited for so long.
  milliseconds heal_deadline = std::chrono::minutes{30};
  /// Mediations before a person is asked; 0 = there is no usable mediator.
  std::uint32_t rounds = 2;
  milliseconds mediation_deadline = std::chrono::minutes{15};
  /// Ages of an open question at which it is asked again.
  std::vector<milliseconds> re_raise
    = {std::chrono::hours{4}, std::chrono::hours{8}};
  /// The notifiers of each priority; those of no priority tell nobody.
  std::map<priority, std::vector<std::string>> channels;
};

/// What names an incident: its task (`project/<id>` when none is to blame,
/// `hub` when no project is either), its cause and, where one cause has several
/// faces, which.
std::string incident_key(const project_id& project, const task_id& task,
                         incident_cause cause, const std::string& face = {});

/// A row that nothing has happened to yet.
incident new_incident(incident_id id, std::string fingerprint,
                      incident_cause cause, const project_id& project,
                      const task_id& task, wall_time now);

// -- inputs -------------------------------------------------------------------

/// The cause is there (still, or again). Level-triggered: saying the same
/// again changes nothing.
struct failure_seen {
  session_id session;
  change_id change;
  /// The head that fails; empty when the cause has none.
  std::string sha;
  /// What agents are told: what, where, what to do.
  std::string text;
  std::vector<std::string> log_tail;
  /// Those that the same cause stops beside `session`.
  std::vector<session_id> others = {};
};
/// The cause is gone.
struct cause_gone {
  std::string by = "recovery";
  std::string why;
};
/// The moment of `deadline` is over.
struct incident_due {};
/// MEDIATION has this session for the present round.
struct mediator_opened {
  std::uint32_t round = 0;
  session_id session;
};
/// The mediator's present row.
struct mediator_told {
  session now;
};
/// A tier cannot do its try: there is no mediator, or no agent to tell.
struct try_failed {
  incident_tier tier = incident_tier::mediation;
  std::uint32_t number = 0;
  std::string why;
};
/// Refused: `incident_closed`, `wrong_state` (no verdict is wanted),
/// `not_allowed` (another session).
struct verdict_given {
  verdict what;
  /// Empty = the operator.
  session_id by;
};
/// A verdict that cannot be read was given; the second ends the round.
struct verdict_refused {
  session_id by;
  std::string why;
};
/// Refused: `incident_closed`, `already_answered`, `wrong_state` (nobody is
/// asked), `not_allowed` (a wrong code).
struct answer_given {
  std::string text;
  /// Absent: the operator's own socket, which needs none.
  std::optional<std::string> code;
  std::string by = "api";
};
/// A person has seen the question.
struct question_acked {
  std::string by = "api";
};
/// The operator closes it by hand. Refused: `incident_closed`.
struct closed_by_hand {
  std::string by = "api";
  std::string why;
};
/// A person wants it looked at again. Refused: `wrong_state` (it is open).
struct reopen_wanted {
  std::string by = "api";
};

/// What the end of a closed one leads to is done.
struct effects_done {};

using incident_input
  = std::variant<failure_seen, cause_gone, incident_due, mediator_opened,
                 mediator_told, try_failed, verdict_given, verdict_refused,
                 answer_given, question_acked, closed_by_hand, reopen_wanted,
                 effects_done>;

// -- effects ------------------------------------------------------------------

/// Tell the session's agent what a mediator or a person has decided; the same
/// key of an incident is one message.
struct tell_agent {
  std::string text;
  std::string key;
};
/// Tell the session's agent what fails: the work of SELF HEAL.
struct heal_agent {
  std::string text;
  std::string key;
};
/// The mediator has not said its verdict.
struct remind_mediator {
  session_id session;
};
/// End the mediator's session: it is not needed any more.
struct dismiss_mediator {
  session_id session;
  std::string why;
};
/// Add these tasks and let the task wait for them.
struct split_task {
  verdict how;
};
/// The task is this from now on.
struct redesign_task {
  std::string title;
  std::string body;
};
/// Give the task to another agent or node.
struct reassign_task {
  std::string agent;
  std::string node;
};
/// Start the agent again.
struct retry_session {};
/// Cancel the task.
struct abandon_task {};

using incident_effect
  = std::variant<tell_agent, heal_agent, remind_mediator, dismiss_mediator,
                 split_task, redesign_task, reassign_task, retry_session,
                 abandon_task>;

struct incident_step {
  incident next;
  /// True when `next` is to be committed; its version is one more already.
  bool changed = false;
  std::vector<notification> notifications;
  std::vector<event> events;
  /// To be done after the commit, in this order.
  std::vector<incident_effect> effects;
  /// Why the input was dropped; empty when it was not.
  std::string dropped;
  /// Set when the one who asked is to be refused.
  std::optional<error> refused;
};

/// The machine of the INCIDENT:
///
///   self_heal --red, tries left--> self_heal
///             --red or overdue, none left--> mediation
///   mediation --verdict--> its outcome is waited for
///             --overdue, silent or invalid twice, no round left--> human
///   human     --answer--> its outcome is waited for --red--> human
///             --no answer at 4 h, 8 h--> asked again
///   any       --cause gone--> resolved; --abandon--> abandoned
///   resolved  --the cause comes back--> open, with all its counters
///
/// @param code A fresh code for a question, not to be guessed.
incident_step next_incident(const incident& row, const incident_input& input,
                            const escalation_policy& policy, wall_time now,
                            const std::string& code);

/// What may be left undone: of an open one, of its present try or of the last
/// verdict or answer; of a closed one that is not settled, of its end. Done
/// again, it changes nothing.
std::vector<incident_effect> unfinished_effects(const incident& row);

/// Whether a mediator works, or is to work, on the present round.
bool awaits_verdict(const incident& row);

/// Whether a person is asked at present.
bool awaits_answer(const incident& row);

} // namespace ao
