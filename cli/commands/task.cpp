#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "runtime/home/files.hpp"

namespace ao::cli {
namespace {

using nlohmann::json;

/// POSTs an action on a task and prints the task.
outcome act_on_task(invocation& what, std::string_view action,
                    const json& body) {
  auto id = make_ulid();
  auto answer = what.api().call(
    "POST", item_path("tasks", what.args.text("task"), action), body,
    idempotency(id));
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  what.out.line(shown(answer->body, "id") + " is "
                + shown(answer->body, "state"));
  return 0;
}

} // namespace

outcome run_task_add(invocation& what) {
  auto title = what.args.text("title");
  if (title.empty() || !is_clean_utf8(title)
      || title.find('\n') != std::string::npos)
    return fail(ec::bad_input, "the title must be one line of UTF-8");
  auto text = text_or_file(what, "body");
  if (!text)
    return fail(text.error());
  auto priority = what.args.number("priority", 0);
  if (!priority)
    return fail(priority.error());
  if (*priority > 9)
    return fail(ec::bad_input, "--priority: expected 0 (first) to 9");
  auto id = request_id_of(what);
  json body = {{"title", title}, {"requestId", id}};
  put_place(what, body);
  if (*text)
    body["body"] = **text;
  body["needs"] = what.args.list("needs");
  body["labels"] = what.args.list("label");
  if (what.args.has("priority"))
    body["priority"] = *priority;
  if (auto agent = what.args.maybe("agent"))
    body["agent"] = *agent;
  auto answer
    = what.api().call("POST", api_root + "/tasks", body, idempotency(id));
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  what.out.line("Added " + shown(answer->body, "id") + " ("
                + shown(answer->body, "state") + ")");
  print_suspects(what.out, answer->body);
  what.out.result_line("TASK", text_at(answer->body, "id"));
  return 0;
}

outcome run_task_ls(invocation& what) {
  auto target = api_root + "/tasks";
  add_query(target, "project", what.project);
  add_query(target, "state", what.args.text("state"));
  return show_list(what, target,
                   {{"TASK", "id"},
                    {"STATE", "state"},
                    {"PRIO", "priority"},
                    {"SESSION", "session"},
                    {"NEEDS", "needs"},
                    {"TITLE", "title"}},
                   5, "No tasks.");
}

outcome run_task_show(invocation& what) {
  return show_object(what, item_path("tasks", what.args.text("task")));
}

outcome run_task_cancel(invocation& what) {
  return act_on_task(what, "cancel", {{"cascade", what.args.flag("cascade")}});
}

outcome run_task_retry(invocation& what) {
  return act_on_task(what, "retry", json::object());
}

} // namespace ao::cli
