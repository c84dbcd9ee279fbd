#include "actors/api_call.hpp"
#include "messages/protocol.hpp"
#include "runtime/api/suspects.hpp"

#include <unistd.h>

#include <filesystem>

namespace ao {
namespace {

/// Whether a row of `project` was asked for.
bool of_project(const api_call& call, const project_id& project) {
  auto wanted = call.what.query_or("project", "");
  return wanted.empty() || wanted == project.text;
}

bool with_terminated(const api_call& call) {
  return call.what.query_or("include", "") == "terminated";
}

/// Where the refs of a session's saved work are: on its node, whose home is two
/// above its worktree.
std::string cache_of(const hub_context& context, const session& s) {
  auto root = context.place->root();
  if (!s.node.empty() && s.node.text != "local" && !s.workspace_path.empty())
    root = std::filesystem::path{s.workspace_path}
             .parent_path()
             .parent_path()
             .string();
  return root + "/repos/" + s.project.text + ".git";
}

std::vector<api::session_view> sessions_for(api_pointer self,
                                            const api_call& call) {
  auto& context = self->state.context;
  std::vector<api::session_view> out;
  for (auto& row : context.rows->all<session>())
    if (of_project(call, row->project) && call.reaches(target_of(*row)))
      out.push_back(api::view_of(*context.rows, *context.config, row));
  return out;
}

} // namespace

void read_past(api_pointer self, msg::read_events what,
               std::function<void(result<std::vector<event>>)> done) {
  auto& context = self->state.context;
  auto recent
    = context.rows->events().events_after(what.after, what.limit, what.subject);
  if (recent) {
    std::vector<event> out;
    for (const auto& e : *recent)
      out.push_back(*e);
    return done(std::move(out));
  }
  ask<store_actor>(self, context, actor_name{"store"}, store_deadline,
                   std::move(what))
    .then([done](msg::event_page& page) { done(std::move(page.events)); },
          [done](const caf::error& why) { done(fail(to_ao_error(why))); });
}

void show_session(api_pointer self, row_ptr<session> row,
                  std::function<void(json)> done) {
  msg::read_events story;
  story.subject = subject_of(row->id);
  read_past(self, story, [self, row, done](auto events) {
    auto& context = self->state.context;
    // Without its past (purged, or the store restarts) a session is still
    // worth showing.
    auto saved
      = events ? api::saved_work_of(*events) : std::vector<api::saved_work>{};
    done(api::session_object(api::view_of(*context.rows, *context.config, row),
                             saved, cache_of(context, *row)));
  });
}

void answer_session(api_pointer self, api_call_ptr call, int status,
                    row_ptr<session> row) {
  show_session(self, std::move(row), [call, status](const json& shown) {
    call->answer(status, shown);
  });
}

row_ptr<session> session_in_path(api_pointer self, const api_call& call) {
  auto id = call.param("id");
  auto row = self->state.context.rows->find<session>(id);
  if (!row) {
    call.refuse(error{ec::no_such_session, "no session is called " + id});
    return nullptr;
  }
  return call.admits(target_of(*row), "use " + id) ? row : nullptr;
}

void get_health(api_pointer self, api_call_ptr call) {
  call->answer(200,
               {{"status", "ok"},
                {"pid", ::getpid()},
                {"version", self->state.host.version},
                {"apiVersion", api_protocol},
                {"startedAt", format_time(self->state.host.started_at)}});
}

namespace {

/// Nodes that do not simply work: `{name, state, why}`.
json unwell_nodes(const hub_context& context) {
  auto out = json::array();
  for (const auto& n : context.rows->all<cluster_node>())
    if (n->order != node_order::revoked
        && (n->link != node_link::alive || n->order != node_order::open))
      out.push_back({{"name", n->name.text},
                     {"state", std::string{state_of(*n)}},
                     {"why", n->why}});
  return out;
}

} // namespace

void get_status(api_pointer self, api_call_ptr call) {
  api::hub_facts hub;
  hub.pid = ::getpid();
  hub.version = self->state.host.version;
  hub.started_at = self->state.host.started_at;
  hub.adopted = self->state.host.adopted;
  hub.trouble = self->state.context.rows->trouble();
  auto out = api::status_document(sessions_for(self, *call),
                                  with_terminated(*call), hub);
  out["meta"]["suspectedDuplicates"]
    = api::suspected_pairs(*self->state.context.rows, [&](const task& t) {
        return of_project(*call, t.project) && call->reaches(target_of(t));
      });
  out["meta"]["questions"] = open_questions(self, *call);
  out["meta"]["nodes"] = unwell_nodes(self->state.context);
  call->answer(200, out);
}

void get_sessions(api_pointer self, api_call_ptr call) {
  call->answer(
    200,
    api::sessions_document(sessions_for(self, *call), with_terminated(*call)));
}

void get_session(api_pointer self, api_call_ptr call) {
  if (auto row = session_in_path(self, *call))
    answer_session(self, call, 200, std::move(row));
}

void get_tasks(api_pointer self, api_call_ptr call) {
  auto word = call->what.query_or("state", "");
  auto state = task_state_from(word);
  if (!word.empty() && !state)
    return call->refuse(error{ec::bad_input,
                              "state: \"" + word
                                + "\" is not a state of "
                                  "tasks"});
  auto out = json::array();
  for (const auto& t : self->state.context.rows->all<task>())
    if (of_project(*call, t->project) && (!state || t->state == *state)
        && call->reaches(target_of(*t)))
      out.push_back(api::task_object(*self->state.context.rows, *t,
                                     &*self->state.context.config));
  call->answer(200, api::list_of(std::move(out)));
}

void get_task(api_pointer self, api_call_ptr call) {
  auto& context = self->state.context;
  api::place where{call->what.query_or("project", ""), "", call->own_project()};
  auto t = api::resolve_task(*context.rows, *context.config, call->param("id"),
                             where);
  if (!t)
    // Several projects and a bare name that nobody knows: not found.
    return call->refuse(
      t.error().code == ec::bad_input
        ? error{ec::no_such_task, "no task is called " + call->param("id")}
        : t.error());
  if (call->admits(target_of(**t), "see " + (*t)->id.text))
    call->answer(200, api::task_object(*context.rows, **t, &*context.config));
}

void get_changes(api_pointer self, api_call_ptr call) {
  auto out = json::array();
  for (const auto& c : self->state.context.rows->all<change>())
    if (of_project(*call, c->project) && call->reaches(target_of(*c)))
      out.push_back(api::change_object(*c));
  call->answer(200, api::list_of(std::move(out)));
}

} // namespace ao
