#pragma once

#include "messages/ids.hpp"
#include "messages/time.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// Where a task stands. `merged`, `done`, `failed` and `cancelled` end it;
/// `parked` waits for a person. Dependents are freed by `merged` and `done`
/// only.
enum class task_state : std::uint8_t {
  blocked = 0,
  ready = 1,
  claimed = 2,
  in_review = 3,
  merged = 4,
  done = 5,
  failed = 6,
  cancelled = 7,
  parked = 8,
};

std::string_view to_string(task_state s);
std::optional<task_state> task_state_from(std::string_view text);

/// True for the states that end a task.
bool is_closed(task_state s);

/// True for the states that free a task's dependents.
bool frees_dependents(task_state s);

/// Another task of the project that may be the same work. Kept with the later
/// of the two; a pair is suspected once.
struct suspicion {
  /// The earlier one, and its title then.
  task_id other;
  std::string title;
  /// How sure, 0 to 100.
  int score = 0;
  /// For people: `titles share 5 of 6 words`.
  std::string reason;
  /// The sessions whose diffs touch the same lines; empty when it is the texts
  /// that are alike.
  session_id session;
  session_id other_session;
  /// The task waits until `other` is closed, or a person retries it.
  bool hold = false;
  wall_time since{};
};

/// A row of `tasks`; its one writer is the REGISTRY.
struct task {
  task_id id;
  std::uint64_t version = 0;
  /// Canonical key, the task's identity: `<project>/file:backlog.md#7`,
  /// `<project>/prompt:<ulid>`, `<project>/task:<n>`.
  std::string key;
  project_id project;
  /// The tracker's own reference, as `spawn` accepts it; empty without one.
  std::string ref;
  std::string title;
  std::string body;
  std::vector<std::string> labels;
  /// 0 (first) to 9.
  int priority = 5;
  /// Tasks that must be merged or done before this one starts.
  std::vector<task_id> needs;
  /// The agent asked for; empty = the project's.
  std::string agent;
  task_state state = task_state::ready;
  /// Why it is in this state, for people.
  std::string why;
  /// The session that holds or held it last, and that grant's epoch.
  session_id session;
  epoch_no epoch = 0;
  change_id change;
  std::vector<suspicion> suspects;
  wall_time created_at{};
  wall_time updated_at{};
  std::optional<wall_time> closed_at;
};

/// Who a claim is given to, and until when: the registry's answer to "may I".
/// A row of `claims`, kept after release so that epochs never repeat. Its one
/// writer is the REGISTRY.
struct claim {
  /// `T42`, or `role/<subject>` for orchestrators, mediators and reviewers.
  std::string subject;
  std::uint64_t version = 0;
  session_id session;
  node_name node;
  epoch_no epoch = 0;
  /// False once released; the epoch stays as the highest ever granted.
  bool held = false;
  wall_time since{};
};

/// A counter that hands out numbers which never repeat (`task`,
/// `session/<prefix>`, `change/<project>`). Its writer is the one that hands
/// them out, in the same commit.
struct counter {
  std::string name;
  std::uint64_t version = 0;
  std::uint64_t last = 0;
};

} // namespace ao
