#include "runtime/rules/summary.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace ao {
namespace {

using nlohmann::json;

std::string text_of(const json& data, const char* name) {
  auto found = data.find(name);
  return found != data.end() && found->is_string() ? found->get<std::string>()
                                                   : std::string{};
}

/// Takes what is said; silence changes nothing.
void keep(std::string& into, std::string said) {
  if (!said.empty())
    into = std::move(said);
}

/// A check is told apart from that of the same commit as merged.
std::string check_of(const json& data) {
  auto merged = data.find("mergedResult");
  auto is_merged
    = merged != data.end() && merged->is_boolean() && merged->get<bool>();
  return text_of(data, "sha") + (is_merged ? "/merge" : "");
}

} // namespace

summary::summary(wall_time from, wall_time until)
    : from_(from), until_(until) {}

milliseconds summary::part(wall_time since, wall_time at) const {
  auto first = std::max(since, from_);
  auto last = std::min(at, until_);
  return std::max<milliseconds>(
    std::chrono::duration_cast<milliseconds>(last - first), milliseconds{0});
}

void summary::end(begun& since, wall_time at, milliseconds& sum) const {
  if (since)
    sum += part(*since, at);
  since.reset();
}

void summary::take(const event& e) {
  if (e.at > until_)
    return;
  auto inside = within(e.at);
  if (inside)
    counts_[e.kind] += 1;
  auto data = json::parse(e.data, nullptr, false);
  if (!data.is_object())
    return;
  task_id id{text_of(data, "task")};
  auto number = ao::number_of(id);
  if (number == 0)
    return;
  auto& known = entries_[number];
  auto& said = known.said;
  auto counted = [inside](std::uint32_t& n) { n += inside ? 1 : 0; };
  known.touched = known.touched || inside;
  said.task = id;
  keep(said.project.text, text_of(data, "project"));
  keep(said.title, text_of(data, "title"));
  keep(said.change.text, text_of(data, "change"));
  if (e.subject == subject_of(id))
    if (auto state = text_of(data, "state"); !state.empty()) {
      said.state = state;
      said.why = text_of(data, "why");
    }
  switch (e.kind) {
  case event_kind::task_ready:
    known.ready = e.at;
    break;
  case event_kind::task_blocked:
    known.ready.reset();
    break;
  case event_kind::session_queued:
    keep(said.session.text, text_of(data, "session"));
    keep(said.agent, text_of(data, "agent"));
    break;
  case event_kind::session_spawned:
    keep(said.session.text, text_of(data, "session"));
    end(known.ready, e.at, said.queued);
    break;
  case event_kind::agent_started:
    counted(said.runs);
    known.run = e.at;
    break;
  case event_kind::agent_exited:
    end(known.run, e.at, said.worked);
    break;
  case event_kind::agent_restarted:
    if (inside)
      said.restarts[text_of(data, "reason")] += 1;
    break;
  case event_kind::change_opened:
  case event_kind::head_moved:
    known.review = e.at;
    break;
  case event_kind::approved:
    end(known.review, e.at, said.in_review);
    break;
  case event_kind::changes_requested:
    counted(said.sent_back);
    end(known.review, e.at, said.in_review);
    break;
  case event_kind::ci_started:
    known.checks[check_of(data)] = e.at;
    break;
  case event_kind::ci_rerun:
  case event_kind::ci_failed:
  case event_kind::ci_passed:
    if (e.kind == event_kind::ci_failed)
      counted(said.ci_failures);
    if (auto check = known.checks.find(check_of(data));
        check != known.checks.end()) {
      said.in_ci += part(check->second, e.at);
      known.checks.erase(check);
    }
    break;
  case event_kind::conflict:
    counted(said.conflicts);
    break;
  case event_kind::claim_refused:
    counted(said.refused_duplicates);
    break;
  case event_kind::merged:
    keep(said.merged_sha, text_of(data, "sha"));
    known.review.reset();
    known.checks.clear();
    break;
  default:
    break;
  }
}

std::vector<task_summary> summary::tasks() const {
  std::vector<task_summary> out;
  for (const auto& [number, known] : entries_) {
    if (!known.touched)
      continue;
    auto said = known.said;
    if (known.run)
      said.worked += part(*known.run, until_);
    if (known.ready && said.state == "ready")
      said.queued += part(*known.ready, until_);
    for (const auto& [sha, since] : known.checks)
      said.in_ci += part(since, until_);
    out.push_back(std::move(said));
  }
  return out;
}

std::uint64_t summary::count(event_kind kind) const {
  auto found = counts_.find(kind);
  return found == counts_.end() ? 0 : found->second;
}

} // namespace ao
