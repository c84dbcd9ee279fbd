#pragma once

#include "messages/time.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace ao::cli::demo {

/// What the events have said of one incident of a task.
struct case_facts {
  /// How often its agent was told what fails.
  unsigned told = 0;
  /// How often it may be, where that is known.
  unsigned most = 0;
  /// Another one has to help by now.
  bool escalated = false;
};

/// What the events have said of one task.
struct task_facts {
  /// `T1`.
  std::string id;
  std::string title;
  std::string state = "ready";
  /// Why it is in this state, where something was said.
  std::string why;
  std::string session;
  std::string agent;
  unsigned runs = 0;
  /// From ready to the start of its session.
  milliseconds queued{0};
  /// The time of all runs of its agent.
  milliseconds worked{0};
  std::string change;
  std::string merged_sha;
  /// Kinds of failures that its session was started again after.
  std::map<std::string, unsigned> resumed;
  bool ci_failed = false;
  /// Green alone, red with what was merged before.
  bool red_together = false;
  bool conflicted = false;
  bool sent_back = false;
  /// Tries of its agent to repair something, none of which was enough, so that
  /// a mediator was called.
  unsigned self_heals = 0;
  /// A mediator has decided how to go on.
  bool mediated = false;
  /// A person was asked about it; has answered.
  bool asked = false;
  bool answered = false;
  /// Its agent waits for a person; in the demo nobody comes.
  bool stuck = false;
  /// Its incidents by their ids, and the last one that was heard of.
  std::map<std::string, case_facts> cases;
  std::string last_case;
  /// Its node was lost with its session; it went on elsewhere.
  bool replaced = false;
  /// Its worktree and pane are removed.
  bool cleaned = false;

  std::optional<wall_time> ready_at;
  std::optional<wall_time> run_began;
  bool left_queue = false;
  /// Kinds of the last events about it, the latest at the end.
  std::deque<std::string> heard;

  /// Merged, done, failed, cancelled or parked.
  bool ended() const;
};

/// Whether an incident tells an agent something.
bool is_word_of_incident(const nlohmann::json& event);

/// Counts what happened, by the events alone.
class tally {
public:
  /// A task that is followed; in the order of the report.
  void follow(std::string id, std::string title);

  /// Takes one event, in the form of `ao events --json`. Events of others are
  /// left aside; one that was taken already (`seq`) too. Throws
  /// `nlohmann::json::exception` when it is of another form.
  void take(const nlohmann::json& event);

  const std::vector<task_facts>& tasks() const { return tasks_; }

  /// The task an event is about, null when it is none that is followed.
  const task_facts* of(const nlohmann::json& event) const;

  /// Number of the last event that was taken.
  std::uint64_t last() const { return last_; }

  /// Whether all tasks have ended, or never will, and nothing of the merged
  /// ones is left to be cleaned up. One that is blocked never will when another
  /// one has ended without being merged.
  bool settled() const;

  /// Sessions started again, for whatever reason.
  unsigned restarts() const { return restarts_; }

  /// Restarts after `reason` (`crash`, `hang`) whose task was merged.
  unsigned resumed_after(const std::string& reason) const;

  /// Tasks whose checks have failed and which were merged in the end, without
  /// a mediator.
  unsigned repaired() const;

  /// Tasks that were in conflict and were merged in the end.
  unsigned conflicts_resolved() const;

  /// Tasks whose change was red only together with others, and was merged in
  /// the end.
  unsigned semantic_repaired() const;

  /// Tasks that a reviewer sent back, and which were merged in the end.
  unsigned reviews_answered() const;

  /// Self-heals before mediators were called for tasks that were merged in the
  /// end.
  unsigned self_heals() const;

  /// Tasks that a mediator brought on, and which were merged in the end.
  unsigned mediated() const;

  /// Tasks that have climbed to a person: neither their agents nor a mediator
  /// could help.
  unsigned asked() const;

  /// Tasks about which a person was asked and has answered, and which were
  /// merged in the end.
  unsigned answered() const;

  /// Whether the question of an incident was heard of.
  bool has_asked(const std::string& incident) const;

  /// So often an incident tells the agent of its task what fails.
  void limit(const std::string& incident, unsigned most);

  /// The incident that an event is about: its own, or that of a message which
  /// an incident has sent, or the task's last one; empty when there is none.
  std::string incident_of(const nlohmann::json& event) const;

  /// Nodes that are connected at present, that were lost, and that came back
  /// since.
  const std::set<std::string>& nodes_here() const { return nodes_here_; }
  const std::set<std::string>& nodes_lost() const { return nodes_lost_; }
  const std::set<std::string>& nodes_returned() const {
    return nodes_returned_;
  }

  /// Tasks whose node was lost, and which were merged from another one.
  unsigned replaced() const;

  /// Actors that their supervisors started again after a planted exception.
  unsigned faults_survived() const { return faults_survived_; }

private:
  task_facts* find(const nlohmann::json& event);
  void take_node(const std::string& kind, const std::string& node);
  unsigned merged_after(bool task_facts::*what) const;

  std::vector<task_facts> tasks_;
  std::set<std::string> asked_;
  std::set<std::string> nodes_here_;
  std::set<std::string> nodes_lost_;
  std::set<std::string> nodes_returned_;
  std::uint64_t last_ = 0;
  unsigned restarts_ = 0;
  unsigned faults_survived_ = 0;
};

} // namespace ao::cli::demo
