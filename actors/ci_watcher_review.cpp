#include "actors/ci_watcher_parts.hpp"
#include "actors/mail.hpp"
#include "actors/role_session.hpp"
#include "runtime/rules/reviews.hpp"

#include <utility>

namespace ao::ci_watcher_parts {
namespace {

const change& row_of(self_pointer self) {
  return *self->state.row;
}

/// False when it is being asked for already.
bool begin(self_pointer self, const std::string& what) {
  return self->state.asked.insert(what).second;
}

/// Hears of the session that was opened for a review, then how it is.
void take_reviewer(self_pointer self, const change_review& r,
                   const session_id& id) {
  submit(self, reviewer_opened{r.sha, r.attempts, id},
         [self] { look_at_reviewers(self); });
}

/// The answer of a verdict's request, as it was kept.
caf::expected<msg::review_submitted> read_answer(const std::string& text,
                                                 bool repeated) {
  auto kept = parse_json(text, "stored answer");
  if (!kept)
    return make_error(kept.error());
  try {
    if (kept->contains("error"))
      return make_error(ec_from_name(kept->at("error").get<std::string>()),
                        kept->at("context").get<std::string>());
    return msg::review_submitted{kept->at("review").get<change_review>(),
                                 repeated || kept->at("known").get<bool>()};
  } catch (const json::exception& e) {
    return make_error(ec::internal, std::string{"stored answer: "} + e.what());
  }
}

} // namespace

void ask_for_base(self_pointer self, const find_review_base& order) {
  auto key = "base/" + order.sha;
  if (!begin(self, key))
    return;
  auto& st = self->state;
  auto failed = try_later(self, "review_base_not_found");
  ask<forge_actor>(
    self, st.context, make_actor_name("forge", row_of(self).project.text),
    registry_deadline, msg::find_base{row_of(self).id, order.sha})
    .then(
      [self, key, sha = order.sha](const msg::found_base& found) {
        self->state.asked.erase(key);
        submit(self, review_begun{sha, found.sha});
      },
      [self, key, failed](const caf::error& why) {
        self->state.asked.erase(key);
        failed(why);
      });
}

void ask_for_reviewer(self_pointer self, const open_reviewer& order) {
  auto& st = self->state;
  const auto& row = row_of(self);
  const auto* project = st.context->project(row.project);
  const auto& r = order.of;
  auto key = "reviewer/" + r.key + "/" + std::to_string(r.attempts);
  if (!project || !project->reviewer || !begin(self, key))
    return;
  auto wanted
    = role_session_of(*project, session_role::reviewer, reviewer_subject(r));
  wanted.request = request_id{key};
  wanted.base = row.base;
  wanted.change = row.id;
  wanted.head = r.sha;
  wanted.agent = project->reviewer->agent;
  wanted.actor = "ci-watcher/" + row.id.text;
  auto failed = try_later(self, "reviewer_not_opened");
  open_role_session(
    self, st.context, std::move(wanted),
    [self, key, r](const session_id& id) {
      self->state.asked.erase(key);
      take_reviewer(self, r, id);
    },
    [self, key, failed](const caf::error& why) {
      self->state.asked.erase(key);
      failed(why);
    });
}

void remind(self_pointer self, const remind_reviewer& order) {
  const auto& r = order.of;
  msg::send_message message;
  message.request
    = request_id{"verdict_missing/" + r.key + "/" + std::to_string(r.attempts)};
  message.session = r.session;
  message.text = review_reminder(r);
  message.sender = "ci-watcher/" + row_of(self).id.text;
  send_mail(
    self, self->state.context, registry_deadline, std::move(message),
    [](const ao::message&) {}, try_later(self, "reviewer_not_reminded"));
}

void tell_reviewers(self_pointer self) {
  auto& st = self->state;
  for (const auto& r : st.context->rows->reviews_of(st.row->id))
    if (const auto& id = r->session; !id.empty())
      tell<session_actor>(st.context, make_actor_name("session", id.text),
                          msg::change_changed{*st.row});
}

void look_at_reviewers(self_pointer self) {
  auto& st = self->state;
  std::vector<reviewer_told> seen;
  for (const auto& r : st.context->rows->reviews_of(st.row->id))
    if (auto s = st.context->rows->find<session>(r->session.text))
      seen.push_back({*s});
  for (auto& one : seen)
    submit(self, std::move(one));
}

caf::result<msg::review_submitted>
take_review(self_pointer self, const msg::submit_review& order) {
  auto promise = self->make_response_promise<msg::review_submitted>();
  ci_watcher_state::call call;
  call.input = review_given{order.verdict, order.sha,
                            secrets_of(self).redact(order.text), order.by,
                            order.session};
  call.request = order.request;
  call.answer = [promise](result<store_written> written) mutable {
    auto answer = written
      ? read_answer(written->answer, written->repeated)
      : caf::expected<msg::review_submitted>{make_error(written.error())};
    if (answer)
      promise.deliver(std::move(*answer));
    else
      promise.deliver(answer.error());
  };
  line_up(self->state.turns, std::move(call));
  work(self);
  return promise;
}

std::string answer_of(const change_step& step) {
  if (step.refused)
    return dump(json{{"error", std::string{to_string(step.refused->code)}},
                     {"context", step.refused->context}});
  const auto& c = step.next.row;
  return dump(
    json{{"review", step.next.reviews.at(review_key(c.id, c.head_sha))},
         {"known", !step.dropped.empty()}});
}

} // namespace ao::ci_watcher_parts
