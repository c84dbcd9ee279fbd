#include "actors/api_call.hpp"

namespace ao {
namespace {

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

row_ptr<change> change_in_path(api_pointer self, const api_call& call) {
  auto id = call.param("id");
  auto c = self->state.context.rows->find<change>(id);
  if (!c)
    call.refuse(error{ec::no_such_change, "no change is called " + id});
  return c;
}

void get_change(api_pointer self, api_call_ptr call) {
  auto c = change_in_path(self, *call);
  if (c && call->admits(target_of(*c), "see " + c->id.text))
    call->answer(200, api::change_object(*c));
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

void post_merge(api_pointer self, api_call_ptr call) {
  auto c = change_in_path(self, *call);
  if (!c || !call->admits(target_of(*c), "merge " + c->id.text))
    return;
  auto answer = [self, call](const change& now) {
    call->answer(200, api::change_object(now));
  };
  // Whoever asks again after it was merged has what they wanted.
  if (c->state == change_state::merged)
    return answer(*c);
  if (c->state != change_state::open)
    return call->refuse(error{
      ec::wrong_state, c->id.text + " is " + std::string{to_string(c->state)}});
  ask<ci_watcher_actor>(self, self->state.context,
                        make_actor_name("ci-watcher", c->id.text),
                        answer_deadline, msg::merge_change{c->id})
    .then(answer, refuse_by(call));
}

} // namespace ao
