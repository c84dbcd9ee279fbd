#include "actors/session_parts.hpp"
#include "runtime/rules/mediation.hpp"

namespace ao::session_parts {
namespace {

row_ptr<incident> incident_of(self_pointer self) {
  return self->state.context->rows->find<incident>(
    incident_in_subject(row_of(self).subject).text);
}

/// It may have to start an INCIDENT, which writes.
constexpr std::chrono::seconds escalation_deadline{15};

/// Its agent has failed too often; nobody has parked it by hand.
bool is_given_up(const session& row) {
  return row.runtime == runtime_state::parked && !parked_by_hub(row) && row.exit
    && !row.exit->failure.empty() && row.exit->failure != "killed";
}

} // namespace

void add_dossier(self_pointer self, msg::session_spec& spec) {
  const auto& rows = *self->state.context->rows;
  auto i = incident_of(self);
  if (!i)
    return;
  auto t = rows.find<task>(i->task.text);
  auto c = rows.find<change>(i->change.text);
  auto s = rows.find<session>(i->session.text);
  spec.incident = i->id;
  spec.change = i->change;
  spec.title = i->id.text;
  spec.issue = t ? t->ref : "";
  spec.prompt = mediation_prompt(*i, t.get(), c.get());
  spec.dossier = dossier_of(*i, t.get(), c.get(), s.get());
}

void heed_mediation(self_pointer self) {
  if (auto word = word_to_mediator(row_of(self), incident_of(self).get()))
    submit(self, *word);
}

void tell_mediation(self_pointer self) {
  const auto& row = row_of(self);
  tell<incident_actor>(
    self->state.context,
    make_actor_name("incident", incident_in_subject(row.subject).text),
    msg::session_changed{row});
  heed_mediation(self);
  release_role(self);
}

void report_trouble(self_pointer self, const raise_incident& what) {
  const auto& row = row_of(self);
  auto cause = incident_cause_from(what.cause);
  // Trouble of a judge is its judged one's.
  if (!cause || row.role != session_role::worker)
    return;
  msg::report_cause report;
  report.cause = *cause;
  report.project = row.project;
  report.task = row.task;
  report.session = row.id;
  report.change = row.change;
  report.sha = row.exit ? std::to_string(row.exit->run) : "";
  report.text = what.text;
  if (row.exit)
    report.log_tail = row.exit->last_lines;
  ask<escalation_actor>(self, self->state.context, "escalation"_name,
                        escalation_deadline, std::move(report))
    .then([](const incident_id&) {}, try_later(self, "incident_not_told"));
}

std::optional<raise_incident> trouble_of(const session& row) {
  if (is_terminal(row) || row.role != session_role::worker)
    return std::nullopt;
  if (!row.needs_input.empty())
    return raise_incident{"needs_input", row.needs_input};
  if (is_given_up(row))
    return raise_incident{"crash_loop", row.reason};
  return std::nullopt;
}

void report_relief(self_pointer self, const session& before) {
  const auto& row = row_of(self);
  auto relieved = [&](incident_cause cause, const std::string& why) {
    ask<escalation_actor>(
      self, self->state.context, "escalation"_name, escalation_deadline,
      msg::report_recovered{cause, row.project, row.task, {}, why})
      .then([](std::uint64_t) {}, try_later(self, "incident_not_told"));
  };
  if (row.role != session_role::worker)
    return;
  if (!before.needs_input.empty() && row.needs_input.empty())
    relieved(incident_cause::needs_input, row.id.text + " goes on");
  if (is_given_up(before) && !is_given_up(row))
    relieved(incident_cause::crash_loop, row.id.text + " was started again");
}

} // namespace ao::session_parts
