#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"

#include <algorithm>

namespace ao::cli {
namespace {

using nlohmann::json;

/// `4.2 s`, `3 min`, `2.5 h`; `-` for nothing.
std::string lasted(const json& row, const char* name) {
  auto ms = row.value(name, std::int64_t{0});
  if (ms <= 0)
    return "-";
  char text[32];
  constexpr double second = 1000;
  constexpr double minute = 60 * second;
  constexpr double hour = 60 * minute;
  auto time = static_cast<double>(ms);
  if (time < 2 * minute)
    std::snprintf(text, sizeof text, "%.1f s", time / second);
  else if (time < 2 * hour)
    std::snprintf(text, sizeof text, "%.0f min", time / minute);
  else
    std::snprintf(text, sizeof text, "%.1f h", time / hour);
  return text;
}

/// `12k/3k`, what was read and written; `-` where no agent says it.
std::string tokens_of(const json& row) {
  const auto tokens = row.value("tokens", json());
  if (!tokens.is_object())
    return "-";
  auto rounded = [&](const char* name) {
    auto n = tokens.value(name, std::uint64_t{0});
    return n < 1000 ? std::to_string(n)
                    : std::to_string((n + 500) / 1000) + "k";
  };
  return rounded("input") + "/" + rounded("output");
}

std::string outcome_of(const json& row) {
  if (auto sha = text_at(row, "mergedSha"); !sha.empty())
    return "merged as " + sha.substr(0, 12);
  return text_at(row, "why");
}

/// What went otherwise than straight, e.g. `crash 1, CI red 2`.
std::string trouble_of(const json& row) {
  std::string out;
  auto add = [&out](const std::string& name, std::uint64_t n) {
    if (n > 0)
      out += (out.empty() ? "" : ", ") + name + " " + std::to_string(n);
  };
  const auto restarts = row.value("restarts", json::object());
  for (const auto& [reason, n] : restarts.items())
    if (reason != "message")
      add(reason, n.get<std::uint64_t>());
  add("CI red", row.value("ciFailures", std::uint64_t{0}));
  add("conflict", row.value("conflicts", std::uint64_t{0}));
  add("sent back", row.value("sentBack", std::uint64_t{0}));
  add("refused", row.value("refusedDuplicates", std::uint64_t{0}));
  return out;
}

/// `merged 12, parked 1`, in the order of the ends of a task.
std::string states_of(const json& totals) {
  const auto states = totals.value("states", json::object());
  std::string out;
  for (const auto* name : {"merged", "done", "in_review", "claimed", "ready",
                           "blocked", "parked", "failed", "cancelled"})
    if (auto n = states.value(name, 0u); n > 0)
      out += (out.empty() ? "" : ", ") + std::string{name} + " "
        + std::to_string(n);
  return out;
}

} // namespace

outcome run_summary(invocation& what) {
  auto target = api_root + "/summary";
  add_query(target, "since", what.args.text("since"));
  add_query(target, "until", what.args.text("until"));
  add_query(target, "project", what.project);
  auto answer = what.api().call("GET", target);
  if (!answer)
    return fail(answer.error());
  const auto& all = answer->body;
  what.out.document(all);
  const auto tasks = all.value("tasks", json::array());
  what.out.line("From " + shown(all, "since") + " to " + shown(all, "until"),
                colour::dim);
  if (tasks.empty()) {
    what.out.line("Nothing has happened.");
    return 0;
  }
  table list;
  list.head = {"TASK",   "STATE",  "RUNS",   "QUEUED", "WORKED", "CI",
               "REVIEW", "TOKENS", "BESIDE", "TITLE",  "OUTCOME"};
  list.flexible = 10;
  for (const auto& row : tasks)
    list.rows.push_back(
      {{shown(row, "task")},
       {shown(row, "state"), colour_of(text_at(row, "state"))},
       {shown(row, "runs")},
       {lasted(row, "queuedMs")},
       {lasted(row, "workedMs")},
       {lasted(row, "ciMs")},
       {lasted(row, "reviewMs")},
       {tokens_of(row)},
       {trouble_of(row)},
       {shown(row, "title")},
       {outcome_of(row)}});
  what.out.print(list);
  const auto totals = all.value("totals", json::object());
  what.out.line(std::to_string(tasks.size()) + " tasks: " + states_of(totals),
                colour::bold);
  auto line = [&](const char* name, const char* words) {
    if (auto n = totals.value(name, std::uint64_t{0}); n > 0)
      what.out.line("  " + std::to_string(n) + " " + words);
  };
  std::uint64_t restarts = 0;
  const auto by_reason = totals.value("restarts", json::object());
  for (const auto& [reason, n] : by_reason.items())
    restarts += n.get<std::uint64_t>();
  if (restarts > 0)
    what.out.line("  " + std::to_string(restarts) + " restarts of agents");
  line("refusedDuplicates", "claims refused, as another held the task");
  line("pushesRefused", "pushes refused");
  line("rescuesSaved", "times unfinished work was saved");
  line("childrenRestarted", "actors started again");
  line("childrenGivenUp", "actors given up; see ao events");
  return 0;
}

} // namespace ao::cli
