#include "actors/mediation.hpp"

#include "actors/incident_mail.hpp"
#include "actors/role_session.hpp"
#include "runtime/rules/incidents.hpp"
#include "runtime/rules/mediation.hpp"
#include "runtime/rules/orchestrators.hpp"

namespace ao {
namespace {

using namespace tier_parts;

msg::open_session session_for(self_pointer self,
                              const project_settings& project) {
  auto& st = self->state;
  const auto& row = st.row;
  auto c = st.context.rows->find<change>(row.change.text);
  auto s = st.context.rows->find<session>(row.session.text);
  auto wanted
    = role_session_of(project, session_role::mediator, mediator_subject(row));
  wanted.request = request_id{wanted.subject};
  wanted.change = row.change;
  wanted.head = c      ? c->head_sha
    : s && s->worktree ? s->worktree->head_sha
                       : std::string{};
  wanted.agent = mediator_of(*st.context.config, project);
  wanted.actor = "mediation/" + row.id.text;
  return wanted;
}

/// The session that stands by to decide, while it can be told anything.
row_ptr<session> standing_orchestrator(self_pointer self,
                                       const project_settings& project) {
  const auto& st = self->state;
  auto id = project.orchestrator_session;
  if (auto c = st.context.rows->find<claim>(orchestrator_subject(project.id));
      id.empty() && c && c->held)
    id = c->session;
  if (id.empty() || id == st.row.session)
    return nullptr;
  auto s = st.context.rows->find<session>(id.text);
  if (s && !is_terminal(*s))
    return s;
  st.context.say(log_level::warn,
                 "orchestrator_missing session=" + id.text
                   + " incident=" + st.row.id.text);
  return nullptr;
}

/// Prompt and dossier, as one message.
void brief(self_pointer self, const session& orchestrator) {
  auto& st = self->state;
  const auto& row = st.row;
  auto t = st.context.rows->find<task>(row.task.text);
  auto c = st.context.rows->find<change>(row.change.text);
  auto s = st.context.rows->find<session>(row.session.text);
  auto round = row.rounds;
  send_incident_mail(
    self, st.context, row, orchestrator.id, "dossier/" + std::to_string(round),
    orchestrator_brief(row, t.get(), c.get(), s.get()),
    [self, round, id = orchestrator.id](const message&) {
      auto& st = self->state;
      st.doing.clear();
      tell_incident(self, msg::mediator_found{st.row.id, round, id});
    },
    [self, round](const caf::error& why) {
      fail_try(self, incident_tier::mediation, round, why);
    });
}

void want_mediator(self_pointer self) {
  auto& st = self->state;
  auto subject = mediator_subject(st.row);
  if (!awaits_verdict(st.row) || !st.row.mediator.empty()
      || std::exchange(st.doing, subject) == subject)
    return;
  auto round = st.row.rounds;
  auto failed = [self, round](const caf::error& why) {
    fail_try(self, incident_tier::mediation, round, why);
  };
  const auto* project = st.context.project(st.row.project);
  if (project == nullptr)
    return failed(make_error(ec::no_such_project, st.row.project.text));
  if (auto orchestrator = standing_orchestrator(self, *project))
    return brief(self, *orchestrator);
  open_role_session(
    self, st.context, session_for(self, *project),
    [self, round](const session_id& id) {
      auto& st = self->state;
      st.doing.clear();
      tell_incident(self, msg::mediator_found{st.row.id, round, id});
    },
    failed);
}

} // namespace

tier_actor::behavior_type mediation(self_pointer self, hub_context context,
                                    incident_id id) {
  return behave(self, std::move(context), id, incident_tier::mediation,
                want_mediator);
}

} // namespace ao
