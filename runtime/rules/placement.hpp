#pragma once

#include "messages/ids.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ao {

/// A node as placement sees it.
struct placement_node {
  node_name name;
  /// Why nothing is placed on it (`lost`, `cordoned`, `quarantined until …`);
  /// empty = it takes work.
  std::string closed;
  /// Holds only of what is new there; sessions go on where their work is.
  bool closed_for_new_only = false;
  std::vector<std::string> labels;
  std::uint32_t slots = 0;
  std::uint32_t used = 0;
  /// Agents that could start there; none = all.
  std::optional<std::vector<std::string>> agents;
  /// Of them, those that could not start now, and why: `is not logged in
  /// there`.
  std::map<std::string, std::string> unready;
  /// Bytes that are available; none = nobody knows.
  std::optional<std::uint64_t> memory;
  /// Projects whose repository is there.
  std::vector<std::string> projects;
};

/// Below this a node gets nothing new, whatever is to be started.
constexpr std::uint64_t least_memory = std::uint64_t{512} * 1024 * 1024;

/// What a session wants.
struct placement_wish {
  /// Only there; empty = anywhere.
  node_name pinned;
  /// All of these, as `key=value`.
  std::vector<std::string> labels;
  std::string agent;
  std::string project;
  /// What its agent may use (`agents.<name>.limits.memory`); a node that has
  /// not so much available gets it not.
  std::optional<std::uint64_t> memory;
};

/// Where a session goes, or why it goes nowhere.
struct placement {
  /// Empty: nowhere now.
  node_name node;
  /// One line: why there, or of each node why not.
  std::string why;
};

/// Where to start: of the nodes that may, the one with most free slots in
/// proportion (so that work is spread), the repository there before one
/// without, then by name. Only there where the agent's program is ready, and
/// max(`least_memory`, what the agent may use) is available. Says why in either
/// case.
placement place(const placement_wish& wish,
                const std::vector<placement_node>& nodes);

/// The labels that a task wants of its node: those of its own that read
/// `node:key=value`, without the front.
std::vector<std::string> wanted_labels(const std::vector<std::string>& labels);

/// A node on which tasks of several kinds fail is given none for a while.
struct quarantine {
  struct failure {
    task_id task;
    mono_time at;
  };
  std::vector<failure> failures;
  std::optional<mono_time> until;
  /// How often it was; each one is twice as long as the one before.
  std::uint32_t times = 0;
};

/// So many different tasks within the window.
constexpr std::size_t quarantine_tasks = 3;
constexpr std::chrono::minutes quarantine_window{10};
constexpr std::chrono::minutes quarantine_first{5};
constexpr std::chrono::hours quarantine_longest{2};

/// A session could not be provisioned there.
quarantine note_failure(quarantine q, const task_id& task, mono_time now);
/// One was: what was before is forgotten.
quarantine note_success(quarantine q);
bool in_quarantine(const quarantine& q, mono_time now);

} // namespace ao
