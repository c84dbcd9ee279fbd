#include "cli/commands/event_text.hpp"

#include "cli/commands/common.hpp"

#include <algorithm>

namespace ao::cli {
namespace {

using nlohmann::json;

constexpr std::size_t sha_shown = 12;

struct detail {
  std::string_view kind;
  /// The first that can be filled counts.
  std::initializer_list<std::string_view> patterns;
};

/// The kinds whose data say more than a reason or a title.
const detail details[] = {
  {"hub_started", {"version {version}, pid {pid}"}},
  {"hub_stopped", {"version {version}, pid {pid}"}},
  {"task_added", {"{title}"}},
  {"task_claimed", {"by {session}"}},
  {"task_in_review", {"as {change}"}},
  {"task_revised", {"{title}"}},
  {"session_queued", {"{reason}", "for {task}"}},
  {"session_spawned",
   {"run {run} on {node}: {placement}", "run {run} on {node}"}},
  {"session_step", {"{step}"}},
  {"session_ended", {"{end}: {why}", "{why}"}},
  {"session_reconciled", {"the {kept} is kept, on {node}: {reason}"}},
  {"agent_started", {"run {run}, pid {pid}", "run {run}"}},
  {"agent_exited", {"{reason} ({class})", "{reason}"}},
  {"agent_restarted",
   {"run {run} after {reason}, on {node}: {placement}",
    "run {run} after {reason}", "run {run}"}},
  {"change_opened", {"{branch} at {sha}"}},
  {"change_taken_over", {"by {session} from {from}", "by {session}"}},
  {"head_moved", {"to {sha}", "to {head}"}},
  {"ci_started", {"{sha}"}},
  {"ci_passed", {"{sha}"}},
  {"ci_rerun",
   {"{sha} failed, exit status {exitCode}, and runs once more",
    "{sha} failed, {cause}, and runs once more"}},
  {"ci_failed", {"{sha}, exit status {exitCode}", "{sha}, {cause}"}},
  {"review_asked", {"{reviewer} reviews {sha}"}},
  {"review_missing", {"{why}"}},
  {"approved", {"{sha} by {by}: {text}", "{sha} by {by}", "{head}"}},
  {"changes_requested", {"{sha} by {by}: {text}", "{sha} by {by}", "{head}"}},
  {"incident_joined", {"{session}: {count} sessions by now"}},
  {"merge_ready", {"{head}, and waits for: ao pr merge {change}"}},
  {"merge_queued", {"{head} by {by}", "{head}"}},
  {"merged", {"as {sha}"}},
  {"duplicate_suspected", {"{task} looks like {other}: {reason}"}},
  {"rescue_saved", {"{ref}"}},
  {"base_diverged",
   {"{project}: {base} is {ours} here, {theirs} in the checkout"}},
  {"published", {"{project}: {sha} to {remote}"}},
  {"publish_failed", {"{project}: {reason}"}},
  {"child_restarted", {"{child}: {reason}"}},
  {"child_given_up", {"{child}: {reason}"}},
  {"child_abandoned", {"{child}"}},
  {"foreign_found", {"{parts} on {node}"}},
  {"ghost_found", {"{parts} on {node}"}},
  {"config_reloaded", {"{count} changed in {file}", "{count} changed"}},
  {"config_refused", {"{why}"}},
  {"incident_opened", {"{cause} of {task}", "{cause}"}},
  {"incident_escalated", {"mediation, round {round}", "to {to}"}},
  {"incident_asked", {"{question}"}},
  {"incident_answered", {"{by}: {answer}", "{by}: {verdict}"}},
  {"incident_closed", {"{state} by {by}: {why}", "{state} by {by}"}},
};

bool is_object_name(std::string_view text) {
  return text.size() == 40
    && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

} // namespace

std::string fill(std::string_view pattern, const json& event) {
  std::string out;
  while (!pattern.empty()) {
    auto open = pattern.find('{');
    out += pattern.substr(0, open);
    if (open == std::string_view::npos)
      break;
    auto close = pattern.find('}', open);
    auto name = std::string{pattern.substr(open + 1, close - open - 1)};
    auto text = shown(event, "data." + name);
    if (text == "-")
      return "";
    // Of a text of several lines the first says what it is about.
    out += is_object_name(text) ? text.substr(0, sha_shown)
                                : text.substr(0, text.find('\n'));
    pattern.remove_prefix(close + 1);
  }
  return out;
}

std::string detail_of(const json& event) {
  auto kind = text_at(event, "kind");
  const auto* found
    = std::find_if(std::begin(details), std::end(details),
                   [&](const detail& one) { return one.kind == kind; });
  if (found != std::end(details)) {
    for (auto pattern : found->patterns)
      if (auto text = fill(pattern, event); !text.empty())
        return text;
    return "";
  }
  for (auto pattern : {"{reason}", "{detail}", "{why}"})
    if (auto text = fill(pattern, event); !text.empty())
      return text;
  return "";
}

} // namespace ao::cli
