#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "runtime/config/config_json.hpp"
#include "runtime/config/load.hpp"

namespace ao::cli {
namespace {

using nlohmann::json;

/// Loads the named file, or the one that a hub started here would read.
result<config_outcome> load_here(const invocation& what) {
  auto env = process_environment();
  if (auto named = what.args.maybe("file"))
    return load_config(*named, env);
  std::error_code problem;
  auto here = std::filesystem::current_path(problem);
  if (problem)
    return fail(ec::bad_input,
                "the working directory is gone: " + problem.message());
  auto found = find_config(here, env, home_path_from_environment());
  if (!found)
    return fail(ec::bad_input,
                "no configuration found here, above, or in "
                  + home_path_from_environment()
                  + "; ao start in a git repository derives one");
  return load_config(*found, env);
}

/// Each error and note is one line that editors understand.
void tell_findings(output& out, const config_outcome& outcome) {
  for (const auto& one : outcome.errors)
    out.note(to_string(one));
  for (const auto& one : outcome.notes)
    out.note(to_string(one));
}

/// When a change counts, for people.
std::string effect_in_words(const std::string& word) {
  return word == "next_session" ? "the next session"
    : word == "restart"         ? "the next start of the hub"
                                : word;
}

} // namespace

outcome run_config_check(invocation& what) {
  auto loaded = load_here(what);
  if (!loaded)
    return fail(loaded.error());
  what.out.document(json(check_report(*loaded)));
  tell_findings(what.out, *loaded);
  if (!loaded->errors.empty())
    return info(ec::bad_input).exit_code;
  what.out.line(loaded->file + " is valid", colour::green);
  return 0;
}

outcome run_config_show(invocation& what) {
  auto loaded = load_here(what);
  if (!loaded)
    return fail(loaded.error());
  tell_findings(what.out, *loaded);
  if (!loaded->errors.empty()) {
    what.out.document(json(check_report(*loaded)));
    return info(ec::bad_input).exit_code;
  }
  what.out.document(json(show_report(*loaded)));
  table rows;
  rows.head = {"KEY", "VALUE", "SOURCE"};
  rows.flexible = 1;
  for (const auto& one : loaded->shown)
    rows.rows.push_back({{one.key}, {one.value}, {one.source}});
  what.out.print(rows);
  return 0;
}

outcome run_config_reload(invocation& what) {
  auto answer = what.api().call("POST", api_root + "/config/reload");
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  auto changed = answer->body.value("changed", json::array());
  for (const auto& note : answer->body.value("notes", json::array()))
    what.out.note(note.get<std::string>());
  auto file = shown(answer->body, "file");
  if (changed.empty()) {
    what.out.line(file == "-" ? "nothing has changed"
                              : file + ": nothing has changed");
    return 0;
  }
  for (auto& one : changed)
    one["takesEffect"] = effect_in_words(one["takesEffect"]);
  print_rows(what.out, changed,
             {{"KEY", "key"},
              {"BEFORE", "before"},
              {"AFTER", "after"},
              {"COUNTS FROM", "takesEffect"}},
             2, "");
  return 0;
}

} // namespace ao::cli
