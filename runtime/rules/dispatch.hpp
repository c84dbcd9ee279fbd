#pragma once

#include "messages/ids.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ao {

/// `limits:` of the configuration.
struct dispatch_limits {
  std::uint32_t sessions = 15;
  /// 0 = no limit.
  std::uint32_t spawns_per_minute = 30;
  std::uint32_t parallel_spawns = 16;
  std::uint64_t min_free_memory = std::uint64_t{1} << 30;
  std::uint64_t min_free_disk = std::uint64_t{2} << 30;
  /// Sessions of one project or of one agent; who is not here has no cap of
  /// its own.
  std::map<project_id, std::uint32_t> sessions_of_project;
  std::map<std::string, std::uint32_t> sessions_of_agent;
  /// Between two starts of one group.
  milliseconds group_pause{0};
};

/// What runs at present.
struct dispatch_load {
  /// Sessions with a slot: provisioning, starting or alive.
  std::uint32_t running = 0;
  /// The same, counted apart.
  std::map<project_id, std::uint32_t> running_of_project;
  std::map<std::string, std::uint32_t> running_of_agent;
  /// Those of them that are not alive yet.
  std::uint32_t spawning = 0;
  /// Those of them that review a change.
  std::uint32_t reviewers = 0;
  /// Those of them whose change waits for its review.
  std::uint32_t await_review = 0;
  /// When the next of a group may start; who is not here has not begun.
  std::map<std::string, mono_time> next_of_group;
  /// When the starts of the last minute were.
  std::vector<mono_time> starts;
  std::uint64_t free_memory = 0;
  std::uint64_t free_disk = 0;
};

/// A queued session, or a ready task of a project with `dispatch: auto`.
struct dispatch_candidate {
  /// `app-7` or `T42`.
  std::string id;
  project_id project;
  /// The program that it starts.
  std::string agent;
  /// 0 first.
  int priority = 5;
  /// Since when it waits.
  wall_time since{};
  /// Not before (a task whose spawn has failed backs off).
  std::optional<mono_time> not_before;
  /// Has run before; the pace is for new ones.
  bool restart = false;
  /// Reviews a change.
  bool reviewer = false;
  /// Those of one group start one after the other, as they all wait for the
  /// same account. Empty = it is in none.
  std::string group;
  /// Why it cannot start whatever the load: open needs, a breaker. Empty =
  /// it can.
  std::string held_by;
};

/// How long a task waits for its next session after so many that ended in an
/// error: 30 s, doubled each time, at most an hour (as Nomad reschedules).
milliseconds reschedule_delay(std::uint32_t failed);

/// How much of that is left. A wall clock that was set back prolongs nothing.
milliseconds reschedule_wait(std::uint32_t failed, wall_time last_end,
                             wall_time now);

/// One that has to wait, and why.
struct dispatch_wait {
  std::string id;
  std::string reason;
};

struct dispatch_plan {
  /// In this order.
  std::vector<std::string> start;
  std::vector<dispatch_wait> wait;
  /// As in the load, with these starts.
  std::map<std::string, mono_time> next_of_group;
  /// When to plan again although nothing has happened: the pace or a backoff
  /// allows the next one then, or there may be room again.
  std::optional<mono_time> again_at;
};

/// Who starts now: reviewers first (they finish work that is nearly done), by
/// priority, then by age, then by number of the id; never above a cap. Where
/// agents that wait for a review hold all slots and nobody reviews, all would
/// wait for ever: one reviewer then starts above the cap of sessions.
dispatch_plan plan_dispatch(std::vector<dispatch_candidate> candidates,
                            const dispatch_load& load,
                            const dispatch_limits& limits, mono_time now);

} // namespace ao
