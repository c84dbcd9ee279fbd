#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "cli/commands/program.hpp"
#include "runtime/home/files.hpp"

namespace ao::cli {

using nlohmann::json;

outcome run_pr_create(invocation& what) {
  auto text = text_or_file(what, "body");
  if (!text)
    return fail(text.error());
  auto title = what.args.maybe("title");
  if (title && (!is_clean_utf8(*title) || title->empty()))
    return fail(ec::bad_input, "--title: must be one line of UTF-8");
  auto pushed = run_program({"git", "push"}, program_output::shown);
  if (!pushed)
    return fail(pushed.error());
  if (pushed->status != 0)
    return fail(ec::git_failed,
                "git push exited " + std::to_string(pushed->status)
                  + "; its message is above");
  json body = json::object();
  put_place(what, body);
  if (title)
    body["title"] = *title;
  if (*text)
    body["body"] = **text;
  auto answer = what.api().call("POST", api_root + "/changes", body,
                                idempotency(make_ulid()));
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  what.out.line(shown(answer->body, "id") + " is "
                + shown(answer->body, "state"));
  what.out.result_line("CHANGE", text_at(answer->body, "id"));
  return 0;
}

outcome run_pr_ls(invocation& what) {
  auto target = api_root + "/changes";
  add_query(target, "project", what.project);
  return show_list(what, target,
                   {{"CHANGE", "id"},
                    {"STATE", "state"},
                    {"CI", "ci"},
                    {"REVIEW", "review"},
                    {"SESSION", "session"},
                    {"TASK", "task"},
                    {"TITLE", "title"}},
                   6, "No changes.");
}

outcome run_pr_show(invocation& what) {
  return show_object(what, item_path("changes", what.args.text("change")));
}

} // namespace ao::cli
