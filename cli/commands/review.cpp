#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "runtime/home/files.hpp"

#include <cstdlib>

namespace ao::cli {
namespace {

using nlohmann::json;

/// The change that is named, else the one that this session reviews.
result<std::string> change_of(const invocation& what) {
  if (auto named = what.args.maybe("change"))
    return *named;
  if (const auto* value = std::getenv("AO_CHANGE"); value && *value)
    return std::string{value};
  return fail(ec::bad_input, "which change? name it (`ao pr ls` lists them)");
}

result<std::string> verdict_of(const invocation& what) {
  auto approves = what.args.has("approve");
  if (approves == what.args.has("request-changes"))
    return fail(ec::bad_input,
                "expected either --approve or --request-changes");
  return std::string{approves ? "approve" : "request_changes"};
}

} // namespace

outcome run_review_submit(invocation& what) {
  auto change = change_of(what);
  if (!change)
    return fail(change.error());
  auto verdict = verdict_of(what);
  if (!verdict)
    return fail(verdict.error());
  json body = {{"verdict", *verdict}};
  if (auto file = what.args.maybe("file")) {
    auto text = read_input(*file);
    if (!text)
      return fail(text.error());
    if (!is_clean_utf8(*text))
      return fail(ec::bad_input,
                  "--file: " + *file + " has a NUL or is not UTF-8");
    body["text"] = *text;
  } else if (*verdict != "approve") {
    return fail(ec::bad_input, "--file: say there what is to be changed");
  }
  if (auto sha = what.args.maybe("sha"))
    body["sha"] = *sha;
  auto answer
    = what.api().call("POST", item_path("changes", *change, "reviews"), body,
                      idempotency(request_id_of(what)));
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  what.out.line(*change + " at " + text_at(answer->body, "sha").substr(0, 12)
                + ": " + shown(answer->body, "verdict"));
  what.out.result_line("CHANGE", *change);
  return 0;
}

} // namespace ao::cli
