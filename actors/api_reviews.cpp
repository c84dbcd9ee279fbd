#include "actors/api_call.hpp"
#include "runtime/rules/reviews.hpp"

#include <algorithm>

namespace ao {
namespace {

/// The session that asks, if it is there to review `c`.
row_ptr<session> reviewer_of(api_pointer self, const api_call& call,
                             const change& c) {
  if (!call.who.session)
    return nullptr;
  auto s
    = self->state.context.rows->find<session>(call.who.session->session.text);
  auto reviews = s && s->role == session_role::reviewer && s->change == c.id;
  return reviews ? s : nullptr;
}

result<review_state> verdict_in(const json& body) {
  auto word = api::text_of(body, "verdict");
  if (!word)
    return fail(word.error());
  if (*word == "approve")
    return review_state::approved;
  if (*word == "request_changes")
    return review_state::changes_requested;
  return fail(ec::bad_input,
              "verdict: \"" + *word
                + "\" is unknown, expected approve or "
                  "request_changes");
}

/// `sha` in full; empty = `otherwise`. A beginning of the head means it.
result<std::string> sha_in(const json& body, const change& c,
                           const std::string& otherwise) {
  constexpr std::size_t shortest = 7;
  auto sha = api::text_of(body, "sha");
  if (!sha)
    return sha;
  if (sha->empty())
    return otherwise;
  if (sha->size() < shortest
      || sha->find_first_not_of("0123456789abcdef") != std::string::npos)
    return fail(ec::bad_input, "sha: expected 7 to 40 hexadecimal digits");
  return c.head_sha.compare(0, sha->size(), *sha) == 0 ? c.head_sha : *sha;
}

result<msg::submit_review> plan_review(const api_call& call, const change& c,
                                       const session* reviewer) {
  auto verdict = verdict_in(call.body);
  auto text = api::text_of(call.body, "text");
  auto sha = sha_in(call.body, c, reviewer ? reviewer->head : "");
  if (!verdict)
    return fail(verdict.error());
  if (!text || !sha)
    return fail((text ? sha : text).error());
  if (text->size() > longest_review)
    return fail(ec::bad_input,
                "text: expected at most " + std::to_string(longest_review)
                  + " bytes");
  if (*verdict == review_state::changes_requested
      && text->find_first_not_of(" \t\r\n") == std::string::npos)
    return fail(ec::bad_input, "text: say what is to be changed, it is blank");
  msg::submit_review out;
  out.request = call.id;
  out.change = c.id;
  out.verdict = *verdict;
  out.sha = std::move(*sha);
  out.text = std::move(*text);
  if (reviewer) {
    out.by = "session/" + reviewer->id.text;
    out.session = reviewer->id;
  }
  return out;
}

/// The review that was given already; null when it is another.
row_ptr<change_review> same_review(api_pointer self, const change& c,
                                   const msg::submit_review& order) {
  auto r = self->state.context.rows->find<change_review>(
    review_key(c.id, c.head_sha));
  auto same = r && r->verdict == order.verdict && r->by == order.by
    && r->text == order.text;
  return same ? r : nullptr;
}

} // namespace

void post_review(api_pointer self, api_call_ptr call) {
  auto c = change_in_path(self, *call);
  if (!c)
    return;
  auto reviewer = reviewer_of(self, *call, *c);
  // A session reviews the change that it was opened for and no other.
  api::target own{{}, reviewer ? reviewer->id : session_id{}, {}};
  if (!call->admits(own, "review " + c->id.text))
    return;
  auto order = plan_review(*call, *c, reviewer.get());
  if (!order)
    return call->refuse(order.error());
  if (c->state != change_state::open) {
    // It may be the very review that has let the change be merged.
    if (auto given = same_review(self, *c, *order))
      return call->answer(200, api::review_object(*given));
    return call->refuse(error{
      ec::wrong_state, c->id.text + " is " + std::string{to_string(c->state)}});
  }
  ask<ci_watcher_actor>(self, self->state.context,
                        make_actor_name("ci-watcher", c->id.text),
                        answer_deadline, std::move(*order))
    .then(
      [call](const msg::review_submitted& got) {
        call->answer(got.repeated ? 200 : 201, api::review_object(got.review));
      },
      refuse_by(call));
}

void get_reviews(api_pointer self, api_call_ptr call) {
  auto c = change_in_path(self, *call);
  if (!c || !call->admits(target_of(*c), "see " + c->id.text))
    return;
  auto found = self->state.context.rows->reviews_of(c->id);
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a->asked_at < b->asked_at;
  });
  auto out = json::array();
  for (const auto& r : found)
    out.push_back(api::review_object(*r));
  call->answer(200, api::list_of(std::move(out)));
}

} // namespace ao
