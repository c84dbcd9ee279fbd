#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "cli/commands/status_reports.hpp"
#include "cli/commands/watch.hpp"

#include <algorithm>

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

/// Those that a person should look at come first, those that only wait last.
int rank_of(const json& row) {
  static const std::vector<std::vector<std::string_view>> ranks
    = {{"needs_input", "stuck", "auth_blocked", "errored", "parked", "lost"},
       {"ci_failed", "changes_requested", "restarting", "rate_limited"},
       {"spawning", "working", "idle", "pr_open", "review_pending", "approved",
        "mergeable"},
       {"queued"}};
  auto status = text_at(row, "status");
  for (std::size_t i = 0; i < ranks.size(); ++i)
    if (std::find(ranks[i].begin(), ranks[i].end(), status) != ranks[i].end())
      return static_cast<int>(i);
  return static_cast<int>(ranks.size());
}

/// `T5` or `T5 (app-2)`.
std::string side_of(const json& pair, const char* task, const char* session) {
  auto holder = text_at(pair, session);
  return text_at(pair, task) + (holder.empty() ? "" : " (" + holder + ")");
}

/// The pairs of tasks that may be the same work.
void print_pairs(output& out, const json& status) {
  for (const auto& pair :
       status.at("meta").value("suspectedDuplicates", json::array())) {
    auto held = pair.value("held", false)
      ? "; it waits, ao task retry " + text_at(pair, "task") + " starts it"
      : std::string{};
    out.line(side_of(pair, "task", "session") + " looks like "
               + side_of(pair, "other", "otherSession") + ": "
               + shown(pair, "reason") + held,
             colour::yellow);
  }
}

/// `3 working, 1 needs_input`.
std::string counts_of(const json& answer) {
  std::string out;
  const auto meta = answer.value("meta", json::object());
  const auto counts = meta.value("counts", json::object());
  for (const auto& [status, n] : counts.items())
    out += (out.empty() ? "" : ", ") + n.dump() + " " + status;
  return out;
}

result<void> show_status(invocation& what) {
  auto target = api_root + "/status";
  add_query(target, "project", what.project);
  if (what.args.flag("include-terminated"))
    add_query(target, "include", "terminated");
  auto answer = what.api().call("GET", target);
  if (!answer)
    return fail(answer.error());
  if (auto most = what.args.maybe("reports")) {
    auto number = number_of_reports(*most);
    if (!number)
      return fail(number.error());
    if (auto ok = add_reports(what.api(), answer->body.at("data"), *number);
        !ok)
      return fail(ok.error());
  }
  what.out.document(answer->body);
  auto rows = answer->body.value("data", json::array());
  if (what.args.flag("watch")) {
    std::stable_sort(
      rows.begin(), rows.end(),
      [](const auto& a, const auto& b) { return rank_of(a) < rank_of(b); });
    what.out.line(format_time(wall_now()).substr(0, 19) + "  "
                    + counts_of(answer->body),
                  colour::bold);
  }
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
  print_reports(what.out, rows);
  print_pairs(what.out, answer->body);
  for (const auto& q : answer->body["meta"].value("questions", json::array())) {
    auto question = text_at(q, "question");
    what.out.line(shown(q, "incident")
                    + " asks: " + question.substr(0, question.find('\n'))
                    + "  (ao incident answer " + shown(q, "incident") + ")",
                  colour::yellow);
  }
  for (const auto& n : answer->body["meta"].value("nodes", json::array()))
    what.out.line("Node " + shown(n, "name") + " is " + shown(n, "state") + ": "
                    + shown(n, "why"),
                  text_at(n, "state") == "lost" ? colour::red : colour::yellow);
  auto trouble = text_at(answer->body, "meta.storeTrouble.reason");
  if (!trouble.empty())
    what.out.line("Nothing can be written: " + trouble, colour::red);
  return {};
}

} // namespace

outcome run_status(invocation& what) {
  if (what.args.flag("watch"))
    return watch(what, [&what] { return show_status(what); });
  if (auto shown = show_status(what); !shown)
    return fail(shown.error());
  return 0;
}

} // namespace ao::cli
