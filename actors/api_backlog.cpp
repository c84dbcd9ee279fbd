#include "actors/api_call.hpp"
#include "runtime/tracker/plan.hpp"

#include <map>
#include <set>

namespace ao {
namespace {

const actor_name backlog_name{"backlog"};

result<row_ptr<task>> resolve(api_pointer self, const std::string& name,
                              const api::place& where) {
  auto& context = self->state.context;
  return api::resolve_task(*context.rows, *context.config, name, where);
}

/// What was added, and what was there already.
json import_document(const msg::backlog_imported& done) {
  std::map<std::string, const msg::add_task*> by_key;
  for (const auto& item : done.items)
    by_key[item.key] = &item;
  auto added = json::array();
  auto skipped = json::array();
  const auto& all = done.outcome;
  for (std::size_t i = 0; i < all.tasks.size(); ++i) {
    const auto& t = all.tasks[i];
    json row{{"issue", t.ref}, {"task", t.id.text}, {"title", t.title}};
    if (i < all.fresh.size() && all.fresh[i]) {
      row["state"] = std::string{to_string(t.state)};
      added.push_back(std::move(row));
      continue;
    }
    auto item = by_key.find(t.key);
    auto changed = item != by_key.end() && differs(t, *item->second);
    row["state"] = std::string{to_string(t.state)};
    row["changed"] = changed;
    row["reason"] = changed
      ? "known; what the backlog says of it now is not taken over"
      : "known";
    skipped.push_back(std::move(row));
  }
  return {
    {"data", {{"added", std::move(added)}, {"skipped", std::move(skipped)}}},
    {"meta", {{"source", done.source}}}};
}

json resolved_row(api_pointer self, const api_call& call,
                  const std::string& issue, const api::place& where,
                  const std::optional<error>& backlog) {
  json row{{"issue", issue}};
  auto found = resolve(self, issue, where);
  error why;
  if (found && call.reaches(target_of(**found))) {
    row["task"] = (*found)->id.text;
    return row;
  }
  why = found ? api::refusal(*call.who.session, "spawn " + (*found)->id.text)
              : not_found(found.error(), backlog);
  row["task"] = nullptr;
  row["error"] = std::string{to_string(why.code)};
  row["detail"] = why.context;
  return row;
}

/// Reads these backlogs one after the other.
void read_backlogs(api_pointer self, std::vector<project_id> left,
                   std::optional<error> wrong,
                   std::function<void(std::optional<error>)> go_on) {
  if (left.empty())
    return go_on(std::move(wrong));
  msg::import_backlog order;
  order.project = left.back();
  left.pop_back();
  ask<backlog_actor>(self, self->state.context, backlog_name, registry_deadline,
                     std::move(order))
    .then(
      [self, left, wrong, go_on](const msg::backlog_imported&) {
        read_backlogs(self, left, wrong, go_on);
      },
      [self, left, go_on](const caf::error& why) {
        read_backlogs(self, left, to_ao_error(why), go_on);
      });
}

} // namespace

void learn_tasks(api_pointer self, const api_call& call,
                 const std::vector<std::string>& names, const api::place& where,
                 std::function<void(std::optional<error>)> go_on) {
  const auto& config = *self->state.context.config;
  auto here
    = api::resolve_project(config, where.project, where.cwd, where.of_session);
  std::set<project_id> to_read;
  for (const auto& name : names) {
    auto known = resolve(self, name, where);
    if (known || known.error().code != ec::no_such_task)
      continue;
    auto of
      = project_with_backlog(config, name, here ? (*here)->id : project_id{});
    if (of && call.reaches({*of, {}, {}}))
      to_read.insert(*of);
  }
  read_backlogs(self, {to_read.begin(), to_read.end()}, std::nullopt,
                std::move(go_on));
}

error not_found(error unknown, const std::optional<error>& backlog) {
  if (backlog && unknown.code == ec::no_such_task)
    unknown.context
      += ", and the backlog could not be read\n" + backlog->context;
  return unknown;
}

void post_import(api_pointer self, api_call_ptr call) {
  auto& context = self->state.context;
  auto where = api::place_of(call->body, call->own_project());
  auto text = api::text_of(call->body, "text");
  auto file = api::text_of(call->body, "file");
  if (!where)
    return call->refuse(where.error());
  if (!text || !file)
    return call->refuse(!text ? text.error() : file.error());
  auto sent = call->body.contains("text") && !call->body["text"].is_null();
  if (sent == file->empty())
    return call->refuse(
      error{ec::bad_input, "expected both text and file, or neither"});
  if (sent && *file != "-" && file->front() != '/')
    return call->refuse(
      error{ec::bad_input, "file: expected an absolute path, or -"});
  auto p = api::resolve_project(*context.config, where->project, where->cwd,
                                where->of_session);
  if (!p)
    return call->refuse(p.error());
  if (!call->admits({(*p)->id, {}, {}}, "add to " + (*p)->id.text))
    return;
  msg::import_backlog order;
  order.request = call->id;
  order.project = (*p)->id;
  order.file = std::move(*file);
  if (sent)
    order.text = std::move(*text);
  ask<backlog_actor>(self, context, backlog_name, answer_deadline,
                     std::move(order))
    .then(
      [call](const msg::backlog_imported& done) {
        call->answer(200, import_document(done));
      },
      refuse_by(call));
}

void resolve_tasks(api_pointer self, api_call_ptr call) {
  auto where = api::place_of(call->body, call->own_project());
  auto issues = api::list_of_texts(call->body, "issues");
  if (!where || !issues)
    return call->refuse(!where ? where.error() : issues.error());
  learn_tasks(
    self, *call, *issues, *where,
    [self, call, where = *where, issues = *issues](auto backlog) {
      auto out = json::array();
      for (const auto& issue : issues)
        out.push_back(resolved_row(self, *call, issue, where, backlog));
      auto document = api::list_of(std::move(out));
      document["meta"] = {
        {"parallelSpawns", self->state.context.config->limits.parallel_spawns}};
      call->answer(200, document);
    });
}

} // namespace ao
