#include "actors/session_parts.hpp"
#include "runtime/agents/launch.hpp"
#include "runtime/rules/takeovers.hpp"

namespace ao::session_parts {
namespace {

/// Whether the agent of a change can repair it.
bool is_about_work(incident_cause cause) {
  return cause == incident_cause::ci_failed
    || cause == incident_cause::changes_requested
    || cause == incident_cause::conflict;
}

} // namespace

void add_takeover(self_pointer self, msg::session_spec& spec) {
  const auto& rows = *self->state.context->rows;
  const auto& row = row_of(self);
  spec.takes_over = true;
  auto c = rows.find<change>(row.change.text);
  if (!c)
    return;
  std::vector<std::string> troubles;
  for (const auto& i : rows.incidents_of(row.task))
    if (i->state == incident_state::open && is_about_work(i->cause)
        && i->sha == c->head_sha)
      troubles.push_back(i->text);
  auto with = [&](const std::vector<std::string>& what) {
    return spec.prompt + "\n\n" + takeover_note(*c, row.took_over, what);
  };
  // What its program cannot be given it reads by itself.
  const auto* agent = self->state.context->agent(row.agent);
  auto all = with(troubles);
  spec.prompt = agent && !check_prompt(*agent, all) ? with({}) : std::move(all);
}

session_id heir_of(self_pointer self) {
  const auto& row = row_of(self);
  const auto& rows = *self->state.context->rows;
  if (auto held = rows.held_claim(row.subject); held && held->session == row.id)
    return {};
  for (const auto& other : rows.all<session>())
    if (!other->took_over.empty() && other->task == row.task
        && other->branch == row.branch && other->epoch > row.epoch)
      return other->id;
  return {};
}

void tell_change(self_pointer self) {
  const auto& st = self->state;
  const auto& row = row_of(self);
  auto c = st.context->rows->find<change>(row.change.text);
  if (row.took_over.empty() || !c || c->session == row.id
      || c->state != change_state::open)
    return;
  tell<ci_watcher_actor>(st.context, make_actor_name("ci-watcher", c->id.text),
                         msg::session_changed{row});
}

} // namespace ao::session_parts
