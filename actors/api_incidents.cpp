#include "actors/api_call.hpp"
#include "runtime/rules/chat_answers.hpp"
#include "runtime/rules/incidents.hpp"
#include "runtime/rules/mediation.hpp"

#include <algorithm>
#include <utility>

namespace ao {
namespace {

api::target target_of(const incident& i) {
  return {i.project, i.session, i.task};
}

row_ptr<incident> incident_in_path(api_pointer self, const api_call& call) {
  auto id = call.param("id");
  auto i = self->state.context.rows->find<incident>(id);
  if (!i)
    call.refuse(error{ec::no_such_incident, "no incident is called " + id});
  return i;
}

/// The session that asks, if it is there to mediate `i`, or is the standing
/// orchestrator that was asked to.
row_ptr<session> mediator_of(api_pointer self, const api_call& call,
                             const incident& i) {
  if (!call.who.session)
    return nullptr;
  auto s
    = self->state.context.rows->find<session>(call.who.session->session.text);
  auto made_for_it = s && s->role == session_role::mediator
    && incident_in_subject(s->subject) == i.id;
  auto asked = s
    && std::any_of(i.history.begin(), i.history.end(),
                   [&](const auto& a) { return a.session == s->id; });
  return made_for_it || asked ? s : nullptr;
}

/// Has the INCIDENT started when it is not there, asks it, and answers with
/// the incident as it is then.
template <class Order>
void ask_incident(api_pointer self, const api_call_ptr& call,
                  const incident_id& id, Order order) {
  ask_child<incident_actor>(
    self, self->state.context, "incidents"_name,
    make_actor_name("incident", id.text), answer_deadline, std::move(order),
    [call](const incident& now) {
      call->answer(200, api::incident_object(now));
    },
    [call](const caf::error& why) { call->refuse(why); });
}

void mark(api_pointer self, const api_call_ptr& call,
          msg::mark_incident::kind what) {
  auto i = incident_in_path(self, *call);
  if (!i || !call->admits(target_of(*i), "touch " + i->id.text))
    return;
  msg::mark_incident order;
  order.what = what;
  order.request = call->id;
  order.incident = i->id;
  ask_incident(self, call, i->id, std::move(order));
}

} // namespace

json open_questions(api_pointer self, const api_call& call) {
  auto out = json::array();
  for (const auto& i : self->state.context.rows->all<incident>())
    if (awaits_answer(*i) && call.reaches(target_of(*i)))
      out.push_back({{"incident", i->id.text},
                     {"project", i->project.text},
                     {"task", i->task.text},
                     {"session", i->session.text},
                     {"question", i->question}});
  return out;
}

void get_incidents(api_pointer self, api_call_ptr call) {
  auto all = call->what.query.count("all") > 0;
  auto out = json::array();
  for (const auto& i : self->state.context.rows->all<incident>())
    if ((all || i->state == incident_state::open) && !i->history.empty()
        && call->reaches(target_of(*i)))
      out.push_back(api::incident_object(*i));
  call->answer(200, api::list_of(std::move(out)));
}

void get_incident(api_pointer self, api_call_ptr call) {
  auto i = incident_in_path(self, *call);
  if (!i)
    return;
  if (mediator_of(self, *call, *i)
      || call->admits(target_of(*i), "see " + i->id.text))
    call->answer(200, api::incident_object(*i));
}

void post_answer(api_pointer self, api_call_ptr call) {
  auto i = incident_in_path(self, *call);
  if (!i || !call->admits(target_of(*i), "answer " + i->id.text))
    return;
  auto text = api::text_of(call->body, "answer");
  auto code = api::text_of(call->body, "code");
  if (!text || !code)
    return call->refuse((text ? code : text).error());
  if (text->find_first_not_of(" \t\r\n") == std::string::npos)
    return call->refuse(error{
      ec::bad_input, "answer: it is blank, expected an option or a text"});
  if (text->size() > longest_answer)
    return call->refuse(error{ec::bad_input,
                              "answer: expected at most "
                                + std::to_string(longest_answer) + " bytes"});
  msg::answer_incident order;
  order.request = call->id;
  order.incident = i->id;
  order.text = std::move(*text);
  if (!code->empty())
    order.code = std::move(*code);
  ask_incident(self, call, i->id, std::move(order));
}

void post_ack(api_pointer self, api_call_ptr call) {
  mark(self, call, msg::mark_incident::kind::ack);
}

void post_reopen(api_pointer self, api_call_ptr call) {
  mark(self, call, msg::mark_incident::kind::reopen);
}

void post_resolve(api_pointer self, api_call_ptr call) {
  auto i = incident_in_path(self, *call);
  if (!i)
    return;
  auto mediator = mediator_of(self, *call, *i);
  // A mediator decides about the incident that it was opened for, no other.
  api::target own{{}, mediator ? mediator->id : session_id{}, {}};
  if (!call->admits(own, "resolve " + i->id.text))
    return;
  msg::resolve_incident order;
  order.request = call->id;
  order.incident = i->id;
  if (mediator)
    order.by = mediator->id;
  auto verdict = call->body.find("verdict");
  auto why = api::text_of(call->body, "why");
  if (!why)
    return call->refuse(why.error());
  order.why = std::move(*why);
  if (verdict != call->body.end())
    order.verdict = dump(*verdict);
  else if (mediator)
    return call->refuse(
      error{ec::bad_input, "verdict: it is missing, expected an object"});
  ask_incident(self, call, i->id, std::move(order));
}

} // namespace ao
