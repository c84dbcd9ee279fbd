#pragma once

#include "messages/ids.hpp"
#include "messages/incident.hpp"
#include "messages/session.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ao::msg {

/// CI WATCHER, TASK, … → ESCALATION: a cause is there. Level-triggered: the
/// same again changes nothing. Answered with the incident once what it led to
/// is durable.
struct report_cause {
  incident_cause cause = incident_cause::ci_failed;
  project_id project;
  /// Empty when no task is to blame.
  task_id task;
  session_id session;
  /// Those that the same cause stops beside `session`.
  std::vector<session_id> others;
  change_id change;
  /// Tells faces of one cause apart; see `incident_key`.
  std::string face;
  /// The head that fails; empty when the cause has none.
  std::string sha;
  /// What agents are told.
  std::string text;
  std::vector<std::string> log_tail;
};

/// … → ESCALATION: a cause is gone. Nothing happens where there is no open
/// incident of it.
struct report_recovered {
  /// Absent: all causes of the task.
  std::optional<incident_cause> cause;
  project_id project;
  task_id task;
  std::string face;
  std::string why;
};

/// API → INCIDENT.
struct resolve_incident {
  request_id request;
  incident_id incident;
  /// The verdict, JSON text; empty = closed by hand.
  std::string verdict;
  std::string why;
  /// Empty = the operator.
  session_id by;
};

/// API, CHAT → INCIDENT.
struct answer_incident {
  request_id request;
  incident_id incident;
  std::string text;
  /// Absent: the operator's own socket, which needs none.
  std::optional<std::string> code;
  /// `api`, or `telegram/<notifier>`.
  std::string by = "api";
};

struct mark_incident {
  enum class kind : std::uint8_t { ack = 0, reopen = 1 } what = kind::ack;
  request_id request;
  incident_id incident;
  std::string by = "api";
};

/// INCIDENT → its tier: the row as it is. The tier does what that asks for,
/// if it is not done yet, and ends when the incident is not its own any more.
struct incident_changed {
  incident now;
};

/// SELF HEAL, MEDIATION, HUMAN → INCIDENT: the moment is over.
struct incident_overdue {
  incident_id incident;
};

/// MEDIATION → INCIDENT: who mediates.
struct mediator_found {
  incident_id incident;
  std::uint32_t round = 0;
  session_id session;
};

/// SELF HEAL, MEDIATION → INCIDENT: the present try cannot be made.
struct tier_failed {
  incident_id incident;
  incident_tier tier = incident_tier::mediation;
  std::uint32_t number = 0;
  std::string why;
};

/// API → OUTBOX: send this, to show that the channel works.
struct test_notification {
  request_id request;
  ao::priority priority = ao::priority::info;
  std::string text;
};

/// API → OUTBOX: try a notification now, also a dead one.
struct retry_notification {
  request_id request;
  std::string notification;
};

} // namespace ao::msg
