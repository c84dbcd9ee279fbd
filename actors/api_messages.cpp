#include "actors/api_call.hpp"
#include "actors/mail.hpp"
#include "runtime/rules/orchestrators.hpp"

namespace ao {
namespace {

/// A deadline further away than this is none.
constexpr std::uint64_t longest_deadline_ms = 1000ull * 60 * 60 * 24 * 365;

bool is_blank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == std::string::npos;
}

/// The session that orchestrates the asker's project, or the named one, or the
/// only one. Errors: `no_such_project`, `no_such_session`.
result<row_ptr<session>> orchestrator_for(api_pointer self,
                                          const api_call& call) {
  const auto& context = self->state.context;
  auto named = api::text_of(call.body, "project");
  if (!named)
    return fail(named.error());
  project_id project{*named};
  if (call.who.session)
    project = call.who.session->project;
  else if (named->empty() && context.config->projects.size() == 1)
    project = context.config->projects.begin()->first;
  if (context.project(project) == nullptr)
    return fail(ec::no_such_project,
                project.empty() ? "name the project whose orchestrator is meant"
                                : project.text + " is unknown");
  if (auto held = context.rows->held_claim(orchestrator_subject(project)))
    if (auto row = context.rows->find<session>(held->session.text);
        row && !is_terminal(*row))
      return row;
  return fail(ec::no_such_session,
              "project " + project.text
                + " has no orchestrator; ao start "
                  "--orchestrator starts one");
}

result<msg::send_message> plan_message(api_pointer self, const api_call& call,
                                       const session& s) {
  auto text = api::text_of(call.body, "text");
  auto mode = api::text_of(call.body, "mode");
  auto limit = api::number_of(call.body, "deadlineMs", 0, longest_deadline_ms);
  if (!text || !mode)
    return fail((text ? mode : text).error());
  if (!limit)
    return fail(limit.error());
  if (is_blank(*text))
    return fail(ec::bad_input, "text: expected a text that is not blank");
  msg::send_message out;
  if (!mode->empty()) {
    auto known = message_mode_from(*mode);
    if (!known)
      return fail(ec::bad_input,
                  "mode: \"" + *mode
                    + "\" is unknown, expected turn, now or "
                      "stop");
    out.mode = *known;
  }
  out.request = call.id;
  out.session = s.id;
  out.text = std::move(*text);
  if (*limit > 0)
    out.deadline = self->state.context.now() + milliseconds{*limit};
  if (call.who.session)
    out.sender = "session/" + call.who.session->session.text;
  return out;
}

} // namespace

void post_message(api_pointer self, api_call_ptr call) {
  auto row = session_in_path(self, *call);
  if (!row)
    return;
  if (is_terminal(*row))
    return call->refuse(error{ec::session_closed, row->id.text + " has ended"});
  auto order = plan_message(self, *call, *row);
  if (!order)
    return call->refuse(order.error());
  send_mail(
    self, self->state.context, answer_deadline, std::move(*order),
    [call](const message& m) { call->answer(202, api::message_object(m)); },
    refuse_by(call));
}

void post_question(api_pointer self, api_call_ptr call) {
  auto row = orchestrator_for(self, *call);
  if (!row)
    return call->refuse(row.error());
  auto order = plan_message(self, *call, **row);
  if (!order)
    return call->refuse(order.error());
  if (call->who.session)
    order->text = question_from(call->who.session->session, order->text);
  send_mail(
    self, self->state.context, answer_deadline, std::move(*order),
    [call](const message& m) { call->answer(202, api::message_object(m)); },
    refuse_by(call));
}

void get_messages(api_pointer self, api_call_ptr call) {
  const auto& rows = *self->state.context.rows;
  auto wanted = call->what.query_or("session", "");
  auto out = json::array();
  auto show = [&](const row_ptr<session>& s) {
    if (!call->reaches(target_of(*s)))
      return;
    for (const auto& m : rows.messages_of(s->id))
      out.push_back(api::message_object(*m));
  };
  if (wanted.empty()) {
    for (const auto& s : rows.all<session>())
      show(s);
  } else if (auto s = rows.find<session>(wanted)) {
    if (!call->admits(target_of(*s), "see the messages to " + wanted))
      return;
    show(s);
  } else {
    return call->refuse(
      error{ec::no_such_session, "no session is called " + wanted});
  }
  call->answer(200, api::list_of(std::move(out)));
}

} // namespace ao
