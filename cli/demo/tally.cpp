#include "cli/demo/tally.hpp"

#include "cli/commands/common.hpp"

#include <algorithm>

namespace ao::cli::demo {
namespace {

using nlohmann::json;

wall_time time_of(const json& event) {
  return parse_time(text_at(event, "at")).value_or(wall_time{});
}

/// `inc-1` in a subject or sender that begins with `front`.
std::string id_after(const std::string& front, const std::string& text) {
  return text.rfind(front, 0) == 0 ? text.substr(front.size()) : "";
}

void take_incident(task_facts& task, const std::string& id,
                   const std::string& kind, const json& event) {
  if (id.empty())
    return;
  task.last_case = id;
  auto& one = task.cases[id];
  if (is_word_of_incident(event) && !one.escalated)
    one.told += 1;
  one.escalated = one.escalated || kind == "incident_escalated";
  if (kind == "incident_escalated" && text_at(event, "data.to").empty()) {
    task.self_heals
      = std::max(task.self_heals, event.at("data").value("attempts", 0u));
  } else if (kind == "incident_asked") {
    task.asked = true;
  } else if (kind == "incident_answered") {
    auto verdict = text_at(event, "data.verdict");
    if (!verdict.empty() && verdict != "ask_human")
      task.mediated = true;
    if (!text_at(event, "data.answer").empty())
      task.answered = true;
  }
}

void end_run(task_facts& task, wall_time at) {
  if (task.run_began)
    task.worked += at - *task.run_began;
  task.run_began.reset();
}

} // namespace

bool is_word_of_incident(const json& event) {
  return text_at(event, "kind") == "message_queued"
    && text_at(event, "data.sender").rfind("incident/", 0) == 0;
}

bool task_facts::ended() const {
  return state == "merged" || state == "done" || state == "failed"
    || state == "cancelled" || state == "parked";
}

void tally::follow(std::string id, std::string title) {
  task_facts one;
  one.id = std::move(id);
  one.title = std::move(title);
  tasks_.push_back(std::move(one));
}

task_facts* tally::find(const json& event) {
  auto id = text_at(event, "data.task");
  auto found = std::find_if(tasks_.begin(), tasks_.end(),
                            [&](const auto& one) { return one.id == id; });
  return found == tasks_.end() ? nullptr : &*found;
}

const task_facts* tally::of(const json& event) const {
  return const_cast<tally*>(this)->find(event);
}

void tally::take(const json& event) {
  auto seq = event.at("seq").get<std::uint64_t>();
  if (seq <= last_)
    return;
  last_ = seq;
  auto kind = text_at(event, "kind");
  auto* task = find(event);
  if (kind == "incident_asked")
    asked_.insert(incident_of(event));
  if (kind == "agent_restarted")
    restarts_ += 1;
  if (kind == "child_restarted"
      && text_at(event, "data.reason").find("planted fault")
        != std::string::npos)
    faults_survived_ += 1;
  if (auto node = id_after("node:", text_at(event, "subject")); !node.empty())
    take_node(kind, node);
  if (!task)
    return;
  constexpr std::size_t most_heard = 8;
  task->heard.push_back(kind);
  if (task->heard.size() > most_heard)
    task->heard.pop_front();
  auto at = time_of(event);
  take_incident(*task, incident_of(event), kind, event);
  if (auto subject = text_at(event, "subject"); subject == "task:" + task->id)
    if (auto state = text_at(event, "data.state"); !state.empty()) {
      task->state = state;
      task->why = text_at(event, "data.why");
    }
  if (kind == "task_ready") {
    task->ready_at = at;
  } else if (kind == "session_queued") {
    task->session = text_at(event, "data.session");
    if (auto agent = text_at(event, "data.agent"); !agent.empty())
      task->agent = agent;
  } else if (kind == "session_spawned") {
    if (task->ready_at && !task->left_queue)
      task->queued = at - *task->ready_at;
    task->left_queue = true;
  } else if (kind == "agent_started") {
    // An adopted run is told again.
    task->runs
      = std::max(task->runs, event.at("data").value("run", task->runs + 1));
    task->run_began = at;
    task->stuck = false;
  } else if (kind == "needs_input") {
    task->why = text_at(event, "data.reason");
    task->stuck = true;
  } else if (kind == "agent_exited") {
    end_run(*task, at);
  } else if (kind == "agent_restarted") {
    task->resumed[text_at(event, "data.reason")] += 1;
  } else if (kind == "change_opened") {
    task->change = text_at(event, "data.change");
  } else if (kind == "ci_failed") {
    if (event.at("data").value("mergedResult", false))
      task->red_together = true;
    else
      task->ci_failed = true;
  } else if (kind == "conflict") {
    task->conflicted = true;
  } else if (kind == "changes_requested") {
    task->sent_back = true;
  } else if (kind == "merged") {
    task->merged_sha = text_at(event, "data.sha");
  } else if (kind == "session_lost") {
    task->replaced = true;
    end_run(*task, at);
  } else if (kind == "session_cleaned") {
    task->cleaned = true;
  }
}

void tally::take_node(const std::string& kind, const std::string& node) {
  if (kind == "node_joined" || kind == "node_returned") {
    nodes_here_.insert(node);
    if (nodes_lost_.count(node) > 0)
      nodes_returned_.insert(node);
  } else if (kind == "node_lost") {
    nodes_here_.erase(node);
    nodes_lost_.insert(node);
  }
}

bool tally::settled() const {
  auto lost = std::any_of(tasks_.begin(), tasks_.end(), [](const auto& one) {
    return one.ended() && one.state != "merged";
  });
  return std::all_of(tasks_.begin(), tasks_.end(), [lost](const auto& one) {
    return one.stuck || (lost && one.state == "blocked")
      || (one.ended() && (one.state != "merged" || one.cleaned));
  });
}

std::string tally::incident_of(const json& event) const {
  if (auto id = id_after("incident:", text_at(event, "subject")); !id.empty())
    return id;
  if (auto id = id_after("incident/", text_at(event, "data.sender"));
      !id.empty())
    return id;
  const auto* task = of(event);
  return task ? task->last_case : "";
}

bool tally::has_asked(const std::string& incident) const {
  return asked_.count(incident) > 0;
}

void tally::limit(const std::string& incident, unsigned most) {
  for (auto& one : tasks_)
    if (auto found = one.cases.find(incident); found != one.cases.end())
      found->second.most = most;
}

unsigned tally::resumed_after(const std::string& reason) const {
  unsigned out = 0;
  for (const auto& one : tasks_)
    if (auto found = one.resumed.find(reason);
        one.state == "merged" && found != one.resumed.end())
      out += found->second;
  return out;
}

unsigned tally::merged_after(bool task_facts::*what) const {
  return static_cast<unsigned>(
    std::count_if(tasks_.begin(), tasks_.end(), [what](const auto& one) {
      return one.*what && one.state == "merged";
    }));
}

unsigned tally::repaired() const {
  return static_cast<unsigned>(
    std::count_if(tasks_.begin(), tasks_.end(), [](const auto& one) {
      return one.ci_failed && one.state == "merged" && one.self_heals == 0;
    }));
}

unsigned tally::conflicts_resolved() const {
  return merged_after(&task_facts::conflicted);
}

unsigned tally::semantic_repaired() const {
  return merged_after(&task_facts::red_together);
}

unsigned tally::reviews_answered() const {
  return merged_after(&task_facts::sent_back);
}

unsigned tally::replaced() const {
  return merged_after(&task_facts::replaced);
}

unsigned tally::self_heals() const {
  unsigned out = 0;
  for (const auto& one : tasks_)
    if (one.state == "merged")
      out += one.self_heals;
  return out;
}

unsigned tally::mediated() const {
  return merged_after(&task_facts::mediated);
}

unsigned tally::asked() const {
  return static_cast<unsigned>(std::count_if(
    tasks_.begin(), tasks_.end(), [](const auto& one) { return one.asked; }));
}

unsigned tally::answered() const {
  return merged_after(&task_facts::answered);
}

} // namespace ao::cli::demo
