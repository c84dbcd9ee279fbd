#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "runtime/home/files.hpp"
#include "runtime/rules/backlog.hpp"
#include "runtime/tracker/backlog_file.hpp"

#include <unistd.h>

#include <filesystem>

namespace ao::cli {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// The hub takes no longer body (CONTRACT §4).
constexpr std::size_t body_limit = std::size_t{1} << 20;

/// Reads `file` (`-` = standard input) into a request. What is no text is
/// refused here, as it could not be sent.
result<void> put_backlog(const std::string& file, json& body) {
  auto text = file == "-"
    ? read_stream(STDIN_FILENO, "standard input", largest_backlog)
    : read_backlog_file(file);
  if (!text)
    return fail(text.error().code == ec::too_large ? ec::too_large
                                                   : ec::bad_input,
                text.error().context);
  if (!is_clean_utf8(*text))
    // The reader says where.
    if (auto read = parse_backlog(*text, backlog_format_of(file, *text), file);
        !read)
      return fail(read.error());
  std::error_code bad;
  auto whole = file == "-" ? fs::path{file} : fs::absolute(file, bad);
  if (bad)
    return fail(ec::bad_input, file + ": " + bad.message());
  body["file"] = whole.lexically_normal().string();
  body["text"] = std::move(*text);
  if (auto size = body.dump().size(); size > body_limit)
    return fail(ec::too_large,
                file + " makes a request of " + std::to_string(size)
                  + " bytes, more than 1 MiB; split it");
  return {};
}

void tell(output& out, const json& data) {
  auto added = data.value("added", json::array());
  auto skipped = data.value("skipped", json::array());
  out.line("Added: " + std::to_string(added.size()), colour::bold);
  if (!added.empty())
    print_rows(out, added,
               {{"TASK", "task"},
                {"ISSUE", "issue"},
                {"STATE", "state"},
                {"TITLE", "title"}},
               3, "");
  out.line("Skipped: " + std::to_string(skipped.size()), colour::bold);
  if (!skipped.empty())
    print_rows(out, skipped,
               {{"TASK", "task"},
                {"ISSUE", "issue"},
                {"STATE", "state"},
                {"REASON", "reason"}},
               3, "");
  for (const auto& row : added)
    out.result_line("TASK", text_at(row, "task"));
}

} // namespace

outcome run_task_import(invocation& what) {
  auto id = request_id_of(what);
  json body = {{"requestId", id}};
  put_place(what, body);
  if (auto file = what.args.maybe("file"))
    if (auto ok = put_backlog(*file, body); !ok)
      return fail(ok.error());
  auto answer = what.api().call("POST", api_root + "/tasks/import", body,
                                idempotency(id));
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  tell(what.out, answer->body.value("data", json::object()));
  return 0;
}

} // namespace ao::cli
