#include "runtime/rules/change_texts.hpp"

#include "runtime/rules/fence.hpp"
#include "runtime/rules/log_lines.hpp"

#include <algorithm>

namespace ao {

std::string shown_command(const std::vector<std::string>& command) {
  std::string out;
  for (const auto& word : command) {
    if (!out.empty())
      out += ' ';
    auto plain = !word.empty()
      && word.find_first_not_of(
           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
           "0123456789_-./:=,+@%")
        == std::string::npos;
    if (plain) {
      out += word;
      continue;
    }
    out += '\'';
    for (auto c : word)
      if (c == '\'')
        out += "'\\''";
      else
        out += c;
    out += '\'';
  }
  return out;
}

std::string base_red_text(const std::string& base, const std::string& sha,
                          const std::vector<std::string>& command,
                          const std::string& how,
                          const std::vector<std::string>& log_tail) {
  constexpr std::size_t most_lines = 20;
  auto text = base + " itself fails at " + sha.substr(0, 12) + ": "
    + shown_command(command) + " " + how
    + "\nChanges that fail as well wait until it is green again, and no agent "
      "is blamed. Repair "
    + base + " in your checkout; it is looked at each minute.\n";
  std::vector<std::string> lines;
  auto first = log_tail.size() > most_lines ? log_tail.size() - most_lines : 0;
  for (auto i = first; i < log_tail.size(); ++i)
    lines.push_back(readable_line(log_tail[i]));
  if (!lines.empty())
    text += "Last lines of the log:\n" + fenced(lines);
  return text;
}

std::string ci_failure_text(const ci_run& run,
                            const std::vector<std::string>& log_tail,
                            const std::string& base) {
  constexpr std::size_t most_lines = 100;
  auto command = shown_command(run.command);
  auto text = "CI failed on " + run.sha.substr(0, 12) + ": "
    + (command.empty() ? "the forge's checks" : command);
  if (run.cause == "timed_out") {
    auto lasted = run.finished_at.value_or(run.started_at) - run.started_at;
    text += " timed out after "
      + format_duration(
              std::chrono::duration_cast<std::chrono::seconds>(lasted));
  } else if (run.exit_code) {
    text += " exited " + std::to_string(*run.exit_code);
  } else {
    text += run.cause.empty() ? " failed" : " ended: " + run.cause;
  }
  text += '\n';
  if (run.merged_result)
    text += "This is your branch merged with what came before it on " + base
      + "; alone it passes. Fetch and merge origin/" + base + " first.\n";
  if (!log_tail.empty()) {
    std::vector<std::string> lines;
    auto first
      = log_tail.size() > most_lines ? log_tail.size() - most_lines : 0;
    for (auto i = first; i < log_tail.size(); ++i)
      lines.push_back(readable_line(log_tail[i]));
    text += "Last lines of the log:\n" + fenced(lines);
  }
  text += "Fix the cause, commit and push to the same branch; do not weaken or "
          "skip the checks.\n";
  return text;
}

std::string conflict_text(const change& c) {
  return "The branch " + c.branch + " does not merge into " + c.base + " ("
    + c.merge_reason + ").\nFetch, merge origin/" + c.base
    + " into your branch, resolve the conflicts, commit and push.\n";
}

} // namespace ao
