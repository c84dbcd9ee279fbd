#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"

namespace ao::cli {
namespace {

using nlohmann::json;

/// `12 s`, `5 min`, `3 h`, `2 d`: how long ago that was.
std::string age_of(const std::string& at) {
  auto then = parse_time(at);
  if (!then)
    return "-";
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
                   std::max(wall_now() - *then, milliseconds{0}))
                   .count();
  constexpr decltype(seconds) minute = 60;
  constexpr decltype(seconds) hour = 60 * minute;
  constexpr decltype(seconds) day = 24 * hour;
  if (seconds < 2 * minute)
    return std::to_string(seconds) + " s";
  if (seconds < 2 * hour)
    return std::to_string(seconds / minute) + " min";
  if (seconds < 2 * day)
    return std::to_string(seconds / hour) + " h";
  return std::to_string(seconds / day) + " d";
}

} // namespace

outcome run_status(invocation& what) {
  auto target = api_root + "/status";
  add_query(target, "project", what.project);
  if (what.args.flag("include-terminated"))
    add_query(target, "include", "terminated");
  auto answer = what.api().call("GET", target);
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  auto rows = answer->body.value("data", json::array());
  for (auto& row : rows)
    row["since"] = age_of(text_at(row, "since"));
  auto hidden = shown(answer->body, "meta.hiddenTerminatedCount");
  auto ended = hidden == "0" || hidden == "-"
    ? std::string{}
    : hidden + " have ended: ao status --include-terminated";
  print_rows(what.out, rows,
             {{"SESSION", "name"},
              {"STATUS", "status"},
              {"FOR", "since"},
              {"TASK", "task"},
              {"AGENT", "agent"},
              {"NODE", "node"},
              {"PR", "pr"},
              {"CI", "ciStatus"},
              {"REVIEW", "reviewDecision"},
              {"SUMMARY", "summary"}},
             9,
             ended.empty() ? "No sessions. Start one: ao spawn"
                           : "No live sessions.");
  if (!ended.empty())
    what.out.line(ended, colour::dim);
  auto trouble = text_at(answer->body, "meta.storeTrouble.reason");
  if (!trouble.empty())
    what.out.line("Nothing can be written: " + trouble, colour::red);
  return 0;
}

} // namespace ao::cli
