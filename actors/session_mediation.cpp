#include "actors/session_parts.hpp"
#include "runtime/rules/mediation.hpp"

namespace ao::session_parts {
namespace {

row_ptr<incident> incident_of(self_pointer self) {
  return self->state.context->rows->find<incident>(
    incident_in_subject(row_of(self).subject).text);
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

} // namespace ao::session_parts
