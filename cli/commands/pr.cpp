#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "cli/commands/program.hpp"
#include "runtime/home/files.hpp"

#include <sstream>

namespace ao::cli {

using nlohmann::json;

namespace {

/// `Review of 0123456789ab: approved by session/app-4`, then its text.
void print_review(output& out, const json& review) {
  auto by = text_at(review, "by");
  auto session = text_at(review, "session");
  auto reason = text_at(review, "reason");
  out.line("Review of " + text_at(review, "sha").substr(0, 12) + ": "
             + shown(review, "verdict")
             + (!by.empty()          ? " by " + by
                  : !session.empty() ? ", asked of session/" + session
                                     : "")
             + (reason.empty() ? "" : ": " + reason),
           colour_of(shown(review, "verdict")));
  std::istringstream lines{text_at(review, "text")};
  for (std::string line; std::getline(lines, line);)
    out.line("  " + line);
}

} // namespace

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
  auto id = what.args.text("change");
  auto api = what.api();
  auto change = api.call("GET", item_path("changes", id));
  if (!change)
    return fail(change.error());
  what.out.document(change->body);
  if (what.json)
    return 0;
  print_object(what.out, change->body);
  auto reviews = api.call("GET", item_path("changes", id, "reviews"));
  if (!reviews)
    return fail(reviews.error());
  for (const auto& one : reviews->body.value("data", json::array()))
    print_review(what.out, one);
  return 0;
}

outcome run_pr_merge(invocation& what) {
  auto id = what.args.text("change");
  auto answer = what.api().call("POST", item_path("changes", id, "merge"),
                                json::object(), idempotency(make_ulid()));
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  auto state = shown(answer->body, "state");
  what.out.line(state == "merged" ? id + " is merged"
                                  : id + " is queued to be merged");
  return 0;
}

} // namespace ao::cli
