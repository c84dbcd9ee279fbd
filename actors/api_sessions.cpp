#include "actors/api_call.hpp"

namespace ao {
namespace {

/// Answers with the row that an order has made durable.
auto answer_row(api_pointer self, api_call_ptr call) {
  return [self, call](const session& now) {
    answer_session(self, call, 200, std::make_shared<const session>(now));
  };
}

/// The session whose change is opened: the asking one, else the one that is
/// named, else the one whose worktree the operator stands in.
result<row_ptr<session>> session_to_publish(api_pointer self,
                                            const api_call& call) {
  const auto& rows = *self->state.context.rows;
  auto name = api::text_of(call.body, "session");
  auto cwd = api::text_of(call.body, "cwd");
  if (!name || !cwd)
    return fail((name ? cwd : name).error());
  if (name->empty() && call.who.session)
    *name = call.who.session->session.text;
  if (!name->empty()) {
    if (auto row = rows.find<session>(*name))
      return row;
    return fail(ec::no_such_session, "no session is called " + *name);
  }
  for (auto& row : rows.all<session>()) {
    const auto& path = row->workspace_path;
    if (!path.empty() && !row->cleaned
        && (*cwd == path || cwd->rfind(path + "/", 0) == 0))
      return row;
  }
  return fail(ec::bad_input, "which session? run it in a session's worktree");
}

result<msg::open_change> plan_change(const api_call& call, const session& s) {
  auto title = api::text_of(call.body, "title");
  auto text = api::text_of(call.body, "body");
  if (!title || !text)
    return fail((title ? text : title).error());
  if (title->find_first_of("\r\n") != std::string::npos)
    return fail(ec::bad_input, "title: expected one line");
  if (is_terminal(s))
    return fail(ec::session_closed, s.id.text + " has ended");
  if (s.branch.empty())
    return fail(ec::wrong_state, s.id.text + " has no branch");
  msg::open_change out;
  out.request = call.id;
  out.session = s.id;
  out.epoch = s.epoch;
  out.task = s.task;
  out.branch = s.branch;
  out.title = std::move(*title);
  out.body = std::move(*text);
  out.actor = call.who.session ? "session/" + s.id.text : "api";
  return out;
}

} // namespace

void kill_session_of(api_pointer self, api_call_ptr call) {
  auto row = session_in_path(self, *call);
  if (!row)
    return;
  // Dead already is as good as killed.
  if (is_terminal(*row))
    return answer_session(self, call, 200, std::move(row));
  ask_session(
    self, row->id,
    msg::session_order{msg::session_order::kind::kill, call->id, "api"},
    answer_row(self, call), refuse_by(call));
}

void restore_session_of(api_pointer self, api_call_ptr call) {
  if (auto row = session_in_path(self, *call))
    ask_session(
      self, row->id,
      msg::session_order{msg::session_order::kind::restore, call->id, "api"},
      answer_row(self, call), refuse_by(call));
}

void post_report(api_pointer self, api_call_ptr call) {
  auto row = session_in_path(self, *call);
  if (!row)
    return;
  auto state = api::text_of(call->body, "state");
  auto note = api::text_of(call->body, "note");
  auto url = api::text_of(call->body, "prUrl");
  if (!state || !note || !url)
    return call->refuse((!state ? state : !note ? note : url).error());
  if (!api::is_report_state(*state))
    return call->refuse(
      error{ec::bad_input, "state: \"" + *state + "\" is not a report"});
  if (is_terminal(*row))
    return call->refuse(error{ec::session_closed, row->id.text + " has ended"});
  msg::agent_word word;
  word.request = call->id;
  word.epoch = row->epoch;
  word.run = row->run;
  word.state = std::move(*state);
  word.note = std::move(*note);
  if (!url->empty())
    word.note += (word.note.empty() ? "" : " ") + *url;
  ask_session(self, row->id, std::move(word), answer_row(self, call),
              refuse_by(call));
}

void post_change(api_pointer self, api_call_ptr call) {
  auto& context = self->state.context;
  auto row = session_to_publish(self, *call);
  if (!row)
    return call->refuse(row.error());
  if (!call->admits(target_of(**row), "open a change of " + (*row)->id.text))
    return;
  auto order = plan_change(*call, **row);
  if (!order)
    return call->refuse(order.error());
  auto known = context.rows->open_change((*row)->project, order->branch);
  ask<forge_actor>(self, context,
                   make_actor_name("forge", (*row)->project.text),
                   answer_deadline, std::move(*order))
    .then(
      [call, known](const change& c) {
        call->answer(known && known->id == c.id ? 200 : 201,
                     api::change_object(c));
      },
      refuse_by(call));
}

} // namespace ao
