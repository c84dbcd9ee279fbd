#include "actors/session_parts.hpp"
#include "runtime/rules/reviews.hpp"

namespace ao::session_parts {
namespace {

row_ptr<change> change_of(self_pointer self) {
  return self->state.context->rows->find<change>(row_of(self).change.text);
}

row_ptr<change_review> review_of(self_pointer self) {
  const auto& row = row_of(self);
  return self->state.context->rows->find<change_review>(
    review_key(row.change, row.head));
}

} // namespace

void add_review(self_pointer self, msg::session_spec& spec) {
  const auto& rows = *self->state.context->rows;
  auto c = change_of(self);
  auto r = review_of(self);
  if (!c || !r)
    return;
  auto t = rows.find<task>(c->task.text);
  spec.change = c->id;
  spec.title = c->title;
  spec.issue = t ? t->ref : "";
  spec.prompt = review_prompt(*c, *r, t.get());
}

void heed_review(self_pointer self) {
  auto word = word_to_reviewer(row_of(self), change_of(self).get(),
                               review_of(self).get());
  if (word)
    submit(self, *word);
}

void tell_review(self_pointer self) {
  const auto& row = row_of(self);
  tell<ci_watcher_actor>(self->state.context,
                         make_actor_name("ci-watcher", row.change.text),
                         msg::session_changed{row});
  heed_review(self);
  release_role(self);
}

void release_role(self_pointer self) {
  auto& st = self->state;
  const auto& row = row_of(self);
  auto held = st.context->rows->held_claim(row.subject);
  if (!is_terminal(row) || !held || held->session != row.id)
    return;
  ask<registry_actor>(
    self, st.context, "registry"_name, registry_deadline,
    msg::release_claim{task_id{row.subject}, held->epoch, row.end_reason})
    .then([](const task&) {}, try_later(self, "claim_not_released"));
}

} // namespace ao::session_parts
