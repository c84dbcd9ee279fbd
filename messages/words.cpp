#include "messages/breaker.hpp"
#include "messages/change.hpp"
#include "messages/incident.hpp"
#include "messages/message.hpp"
#include "messages/node.hpp"
#include "messages/session.hpp"
#include "messages/task.hpp"

#include <cstddef>

namespace ao {
namespace {

/// One state and the word that goes to disk, logs and people.
template <class Enum>
struct word {
  Enum value;
  std::string_view text;
};

template <class Enum, std::size_t N>
std::string_view text_of(const word<Enum> (&words)[N], Enum value) {
  for (const auto& w : words)
    if (w.value == value)
      return w.text;
  return "invalid";
}

template <class Enum, std::size_t N>
std::optional<Enum> value_of(const word<Enum> (&words)[N],
                             std::string_view text) {
  for (const auto& w : words)
    if (w.text == text)
      return w.value;
  return std::nullopt;
}

// The words are durable: append, never rename.
constexpr word<task_state> task_states[] = {
  {task_state::blocked, "blocked"}, {task_state::ready, "ready"},
  {task_state::claimed, "claimed"}, {task_state::in_review, "in_review"},
  {task_state::merged, "merged"},   {task_state::done, "done"},
  {task_state::failed, "failed"},   {task_state::cancelled, "cancelled"},
  {task_state::parked, "parked"},
};

constexpr word<node_link> node_links[] = {
  {node_link::joining, "joining"}, {node_link::alive, "alive"},
  {node_link::suspect, "suspect"}, {node_link::lost, "lost"},
  {node_link::left, "left"},
};

constexpr word<node_order> node_orders[] = {
  {node_order::open, "open"},
  {node_order::cordoned, "cordoned"},
  {node_order::draining, "draining"},
  {node_order::revoked, "revoked"},
};

constexpr word<session_role> session_roles[] = {
  {session_role::worker, "worker"},
  {session_role::orchestrator, "orchestrator"},
  {session_role::mediator, "mediator"},
  {session_role::reviewer, "reviewer"},
  {session_role::manual, "manual"},
};

constexpr word<runtime_state> runtime_states[] = {
  {runtime_state::queued, "queued"},
  {runtime_state::provisioning, "provisioning"},
  {runtime_state::starting, "starting"},
  {runtime_state::alive, "alive"},
  {runtime_state::exited, "exited"},
  {runtime_state::lost, "lost"},
  {runtime_state::parked, "parked"},
};

constexpr word<left_state> left_states[] = {
  {left_state::away, "away"},
  {left_state::compared, "compared"},
  {left_state::returns, "returns"},
  {left_state::back, "back"},
};

constexpr word<activity_state> activity_states[] = {
  {activity_state::unknown, "unknown"},
  {activity_state::active, "active"},
  {activity_state::ready, "ready"},
  {activity_state::idle, "idle"},
  {activity_state::waiting_input, "waiting_input"},
  {activity_state::blocked, "blocked"},
};

constexpr word<session_end> session_ends[] = {
  {session_end::open, "open"},       {session_end::merged, "merged"},
  {session_end::done, "done"},       {session_end::killed, "killed"},
  {session_end::errored, "errored"},
};

constexpr word<resume_reason> resume_reasons[] = {
  {resume_reason::none, "none"},       {resume_reason::crash, "crash"},
  {resume_reason::hang, "hang"},       {resume_reason::oom, "oom"},
  {resume_reason::message, "message"}, {resume_reason::restore, "restore"},
  {resume_reason::hub, "hub"},
};

constexpr word<change_state> change_states[] = {
  {change_state::open, "open"},
  {change_state::merged, "merged"},
  {change_state::closed, "closed"},
};

constexpr word<ci_state> ci_states[] = {
  {ci_state::none, "none"},       {ci_state::pending, "pending"},
  {ci_state::running, "running"}, {ci_state::passed, "passed"},
  {ci_state::failed, "failed"},
};

constexpr word<review_state> review_states[] = {
  {review_state::none, "none"},
  {review_state::pending, "pending"},
  {review_state::approved, "approved"},
  {review_state::changes_requested, "changes_requested"},
};

constexpr word<ci_blame> ci_blames[] = {
  {ci_blame::own, "own"},
  {ci_blame::base, "base"},
  {ci_blame::excused, "excused"},
};

constexpr word<merge_state> merge_states[] = {
  {merge_state::idle, "idle"},
  {merge_state::queued, "queued"},
  {merge_state::merging, "merging"},
  {merge_state::conflict, "conflict"},
};

constexpr word<message_mode> message_modes[] = {
  {message_mode::turn, "turn"},
  {message_mode::now, "now"},
  {message_mode::stop, "stop"},
};

constexpr word<message_state> message_states[] = {
  {message_state::queued, "queued"},
  {message_state::written, "written"},
  {message_state::submitted, "submitted"},
  {message_state::acknowledged, "acknowledged"},
  {message_state::answered, "answered"},
  {message_state::expired, "expired"},
  {message_state::undeliverable, "undeliverable"},
  {message_state::superseded, "superseded"},
  {message_state::unknown, "unknown"},
};

constexpr word<incident_cause> incident_causes[] = {
  {incident_cause::ci_failed, "ci_failed"},
  {incident_cause::changes_requested, "changes_requested"},
  {incident_cause::conflict, "conflict"},
  {incident_cause::stuck, "stuck"},
  {incident_cause::crash_loop, "crash_loop"},
  {incident_cause::needs_input, "needs_input"},
  {incident_cause::auth, "auth"},
  {incident_cause::duplicate, "duplicate"},
  {incident_cause::budget, "budget"},
  {incident_cause::node_lost, "node_lost"},
  {incident_cause::child_given_up, "child_given_up"},
  {incident_cause::base_red, "base_red"},
};

constexpr word<incident_tier> incident_tiers[] = {
  {incident_tier::self_heal, "self_heal"},
  {incident_tier::mediation, "mediation"},
  {incident_tier::human, "human"},
};

constexpr word<incident_state> incident_states[] = {
  {incident_state::open, "open"},
  {incident_state::resolved, "resolved"},
  {incident_state::abandoned, "abandoned"},
};

constexpr word<priority> priorities[] = {
  {priority::urgent, "urgent"},
  {priority::action, "action"},
  {priority::warning, "warning"},
  {priority::info, "info"},
};

constexpr word<breaker_state> breaker_states[] = {
  {breaker_state::closed, "closed"},
  {breaker_state::open, "open"},
  {breaker_state::half_open, "half_open"},
};

constexpr word<notification_state> notification_states[] = {
  {notification_state::pending, "pending"},
  {notification_state::accepted, "accepted"},
  {notification_state::delivered, "delivered"},
  {notification_state::dead, "dead"},
};

constexpr word<send_failure> send_failures[] = {
  {send_failure::none, "none"},           {send_failure::passing, "passing"},
  {send_failure::throttled, "throttled"}, {send_failure::unusable, "unusable"},
  {send_failure::refused, "refused"},
};

} // namespace

#define AO_WORDS(type)                                                         \
  std::string_view to_string(type x) {                                         \
    return text_of(type##s, x);                                                \
  }                                                                            \
  std::optional<type> type##_from(std::string_view text) {                     \
    return value_of(type##s, text);                                            \
  }

AO_WORDS(task_state)
AO_WORDS(session_role)
AO_WORDS(runtime_state)
AO_WORDS(left_state)
AO_WORDS(activity_state)
AO_WORDS(session_end)
AO_WORDS(resume_reason)
AO_WORDS(change_state)
AO_WORDS(ci_state)
AO_WORDS(review_state)
AO_WORDS(ci_blame)
AO_WORDS(merge_state)
AO_WORDS(message_mode)
AO_WORDS(message_state)
AO_WORDS(incident_cause)
AO_WORDS(incident_tier)
AO_WORDS(incident_state)
AO_WORDS(notification_state)
AO_WORDS(breaker_state)
AO_WORDS(send_failure)
AO_WORDS(node_link)
AO_WORDS(node_order)

#undef AO_WORDS

std::string_view to_string(priority x) {
  return text_of(priorities, x);
}

std::optional<priority> priority_from(std::string_view text) {
  return value_of(priorities, text);
}

std::string_view state_of(const cluster_node& n) {
  if (n.order == node_order::revoked)
    return to_string(n.order);
  if (n.link != node_link::alive)
    return to_string(n.link);
  return n.order == node_order::open ? to_string(n.link) : to_string(n.order);
}

bool is_closed(task_state s) {
  return s == task_state::merged || s == task_state::done
    || s == task_state::failed || s == task_state::cancelled;
}

bool frees_dependents(task_state s) {
  return s == task_state::merged || s == task_state::done;
}

} // namespace ao
