#include "actors/session_parts.hpp"

namespace ao::session_parts {
namespace {

/// It may have to start an INCIDENT, which writes.
constexpr std::chrono::seconds escalation_deadline{15};

} // namespace

void report_failure(self_pointer self, const std::string& failure,
                    const std::string& why) {
  const auto& row = row_of(self);
  ask<breakers_actor>(
    self, self->state.context, "breakers"_name, registry_deadline,
    msg::agent_failed{row.agent, row.project, row.id, failure, why})
    .then([](std::uint64_t) {}, try_later(self, "failure_not_told"));
}

void report_trouble(self_pointer self, const raise_incident& what) {
  const auto& row = row_of(self);
  auto cause = incident_cause_from(what.cause);
  // Of a login all sessions of its account have one incident.
  if (cause == incident_cause::auth)
    return report_failure(self, what.cause, what.text);
  if (!cause || row.role != session_role::worker)
    return;
  msg::report_cause report;
  report.cause = *cause;
  report.project = row.project;
  report.task = row.task;
  report.session = row.id;
  report.change = row.change;
  report.text = what.text;
  if (row.exit) {
    report.sha = std::to_string(row.exit->run);
    report.log_tail = row.exit->last_lines;
  }
  ask<escalation_actor>(self, self->state.context, "escalation"_name,
                        escalation_deadline, std::move(report))
    .then([](const incident_id&) {}, try_later(self, "incident_not_told"));
}

void repeat_trouble(self_pointer self, const raise_incident& what) {
  if (what.cause != to_string(incident_cause::auth))
    return report_trouble(self, what);
  tell<breakers_actor>(self->state.context, "breakers"_name, look_atom::value);
}

void report_relief(self_pointer self, const raise_incident& what) {
  if (what.cause == to_string(incident_cause::auth))
    return;
  const auto& row = row_of(self);
  ask<escalation_actor>(self, self->state.context, "escalation"_name,
                        escalation_deadline,
                        msg::report_recovered{incident_cause_from(what.cause),
                                              row.project,
                                              row.task,
                                              {},
                                              row.id.text + " goes on"})
    .then([](std::uint64_t) {}, try_later(self, "incident_not_told"));
}

} // namespace ao::session_parts
