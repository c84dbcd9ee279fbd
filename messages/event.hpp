#pragma once

#include "messages/ids.hpp"
#include "messages/time.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// The closed list of what can happen (CONTRACT §3, `docs/events.md`).
/// The words go to disk and to users: append, never rename.
#define AO_EVENT_KINDS(X)                                                      \
  X(hub_started)                                                               \
  X(hub_stopped)                                                               \
  X(task_added)                                                                \
  X(task_ready)                                                                \
  X(task_blocked)                                                              \
  X(task_claimed)                                                              \
  X(task_in_review)                                                            \
  X(task_closed)                                                               \
  X(task_parked)                                                               \
  X(task_revised)                                                              \
  X(task_retried)                                                              \
  X(claim_refused)                                                             \
  X(claim_released)                                                            \
  X(claim_expired)                                                             \
  X(session_queued)                                                            \
  X(session_spawned)                                                           \
  X(session_step)                                                              \
  X(agent_started)                                                             \
  X(agent_exited)                                                              \
  X(agent_restarted)                                                           \
  X(agent_reported)                                                            \
  X(needs_input)                                                               \
  X(session_adopted)                                                           \
  X(session_lost)                                                              \
  X(session_killed)                                                            \
  X(session_ended)                                                             \
  X(session_cleaned)                                                           \
  X(spawn_failed)                                                              \
  X(change_opened)                                                             \
  X(head_moved)                                                                \
  X(ci_started)                                                                \
  X(ci_rerun)                                                                  \
  X(ci_failed)                                                                 \
  X(ci_passed)                                                                 \
  X(changes_requested)                                                         \
  X(conflict)                                                                  \
  X(behind)                                                                    \
  X(approved)                                                                  \
  X(merge_ready)                                                               \
  X(merge_queued)                                                              \
  X(merged)                                                                    \
  X(change_closed)                                                             \
  X(base_diverged)                                                             \
  X(message_queued)                                                            \
  X(message_written)                                                           \
  X(message_acknowledged)                                                      \
  X(message_undeliverable)                                                     \
  X(duplicate_suspected)                                                       \
  X(rescue_saved)                                                              \
  X(child_restarted)                                                           \
  X(child_given_up)                                                            \
  X(child_abandoned)                                                           \
  X(incident_opened)                                                           \
  X(incident_joined)                                                           \
  X(incident_escalated)                                                        \
  X(incident_asked)                                                            \
  X(incident_answered)                                                         \
  X(incident_closed)                                                           \
  X(ghost_found)                                                               \
  X(foreign_found)                                                             \
  X(terminal_lost)                                                             \
  X(node_joined)                                                               \
  X(node_suspect)                                                              \
  X(node_lost)                                                                 \
  X(node_returned)                                                             \
  X(push_refused)                                                              \
  X(agent_exec_refused)                                                        \
  X(notification_accepted)                                                     \
  X(notification_delivered)                                                    \
  X(notification_failed)                                                       \
  X(session_parked)                                                            \
  X(message_submitted)                                                         \
  X(message_answered)                                                          \
  X(message_expired)                                                           \
  X(message_superseded)                                                        \
  X(message_unknown)                                                           \
  X(published)                                                                 \
  X(publish_failed)                                                            \
  X(backlog_refused)                                                           \
  X(review_asked)                                                              \
  X(review_missing)                                                            \
  X(store_degraded)                                                            \
  X(store_recovered)                                                           \
  X(restarts_paused)                                                           \
  X(restarts_resumed)                                                          \
  X(config_reloaded)                                                           \
  X(config_refused)                                                            \
  X(activity_changed)                                                          \
  X(breaker_opened)                                                            \
  X(breaker_half_open)                                                         \
  X(breaker_closed)                                                            \
  X(node_token_made)                                                           \
  X(node_enrolled)                                                             \
  X(node_refused)                                                              \
  X(node_left)                                                                 \
  X(node_cordoned)                                                             \
  X(node_uncordoned)                                                           \
  X(node_draining)                                                             \
  X(node_drained)                                                              \
  X(node_revoked)                                                              \
  X(numbers_raised)                                                            \
  X(session_disowned)                                                          \
  X(node_renewed)                                                              \
  X(node_expired)                                                              \
  X(session_reconciled)                                                        \
  X(change_taken_over)

enum class event_kind : std::uint8_t {
#define AO_EVENT_KIND(name) name,
  AO_EVENT_KINDS(AO_EVENT_KIND)
#undef AO_EVENT_KIND
};

std::string_view to_string(event_kind k);
std::optional<event_kind> event_kind_from(std::string_view text);

/// All kinds, in order; for docs and tests.
const std::vector<event_kind>& all_event_kinds();

/// The past. `seq` is given by the store at commit and is the cursor of every
/// feed; `cause` is the seq of the event that led to this one (0 = none).
struct event {
  std::uint64_t seq = 0;
  wall_time at{};
  /// `task:T42 | session:app-7 | change:app#3 | incident:inc-1 | node:n2 |
  /// hub`.
  std::string subject;
  event_kind kind = event_kind::hub_started;
  /// The actor that decided, by its name in the directory.
  std::string actor;
  std::uint64_t cause = 0;
  epoch_no epoch = 0;
  /// A JSON object, as text; names `project`, `task`, `session`, `change`
  /// where they exist.
  std::string data = "{}";
};

std::string subject_of(const task_id& id);
std::string subject_of(const session_id& id);
std::string subject_of(const change_id& id);
std::string subject_of(const node_name& id);

} // namespace ao
