#include "messages/error.hpp"

namespace ao {
namespace {

// CONTRACT §2 (exit codes) and §4 (status -> exit code) fix the last columns.
constexpr ec_info table[] = {
  {ec::none, "none", "No error", 200, 0},
  {ec::bad_input, "bad_input", "The input cannot be accepted", 400, 2},
  {ec::no_such_task, "no_such_task", "There is no such task", 404, 3},
  {ec::no_such_session, "no_such_session", "There is no such session", 404, 3},
  {ec::no_such_change, "no_such_change", "There is no such change", 404, 3},
  {ec::no_such_project, "no_such_project", "There is no such project", 404, 3},
  {ec::no_such_route, "no_such_route", "There is no such route", 404, 3},
  {ec::no_repository, "no_repository", "There is no git repository", 404, 3},
  {ec::task_already_claimed, "task_already_claimed",
   "The task is held by another session", 409, 4},
  {ec::task_closed, "task_closed", "The task is closed", 409, 4},
  {ec::session_closed, "session_closed", "The session has ended", 409, 4},
  {ec::dependency_cycle, "dependency_cycle",
   "The tasks would wait for each other", 409, 4},
  {ec::hub_already_running, "hub_already_running",
   "A hub runs on this home already", 409, 4},
  {ec::hub_not_running, "hub_not_running", "The hub is not running", 503, 5},
  {ec::not_allowed, "not_allowed", "This role may not do that", 403, 6},
  {ec::stale_epoch, "stale_epoch", "The claim has moved on", 403, 6},
  {ec::bad_token, "bad_token", "The token is not valid", 401, 6},
  {ec::peer_refused, "peer_refused", "Another user's process", 403, 6},
  {ec::push_refused, "push_refused", "The push was refused", 403, 6},
  {ec::agent_not_ready, "agent_not_ready", "The agent cannot start", 423, 6},
  {ec::timed_out, "timed_out", "The deadline has passed", 504, 7},
  {ec::too_large, "too_large", "The body is over its limit", 413, 1},
  {ec::prompt_too_long, "prompt_too_long", "The prompt is too long", 400, 2},
  {ec::guard_failed, "guard_failed", "Somebody wrote in between", 409, 4},
  {ec::store_failed, "store_failed", "The database failed", 500, 1},
  {ec::store_too_new, "store_too_new",
   "The database was made by a newer version", 500, 1},
  {ec::home_unusable, "home_unusable", "The home directory is unusable", 500,
   1},
  {ec::program_missing, "program_missing", "A program is missing", 500, 1},
  {ec::git_failed, "git_failed", "git failed", 500, 1},
  {ec::tmux_failed, "tmux_failed", "tmux failed", 500, 1},
  {ec::process_failed, "process_failed", "A process failed", 500, 1},
  {ec::saga_failed, "saga_failed", "The session could not be provisioned", 500,
   1},
  {ec::merge_conflict, "merge_conflict", "The change conflicts", 409, 4},
  {ec::ref_moved, "ref_moved", "The ref has moved", 409, 4},
  {ec::protocol_mismatch, "protocol_mismatch",
   "The two sides speak different versions", 400, 2},
  {ec::not_reachable, "not_reachable", "Nobody of that name answers", 503, 1},
  {ec::shutting_down, "shutting_down", "The hub is stopping", 503, 1},
  {ec::method_not_allowed, "method_not_allowed",
   "The route does not know this method", 405, 2},
  {ec::cursor_too_old, "cursor_too_old", "The cursor is no longer kept", 410,
   4},
  {ec::forge_not_available, "forge_not_available",
   "This forge is not available", 400, 2},
  {ec::internal, "internal", "A defect of ao", 500, 1},
  {ec::restart_intensity_reached, "restart_intensity_reached",
   "A child was restarted too often", 500, 1},
  {ec::wrong_state, "wrong_state", "Not possible in the present state", 409, 4},
  {ec::request_in_flight, "request_in_flight",
   "The same request is being worked on", 409, 4},
  {ec::no_such_incident, "no_such_incident", "There is no such incident", 404,
   3},
  {ec::incident_closed, "incident_closed", "The incident is over", 409, 4},
  {ec::already_answered, "already_answered", "The question was answered", 409,
   4},
  {ec::no_such_notification, "no_such_notification",
   "There is no such notification", 404, 3},
  {ec::cluster_not_initialised, "cluster_not_initialised",
   "The cluster has no identity", 503, 1},
  {ec::node_not_joined, "node_not_joined", "The node has not joined a hub", 503,
   1},
  {ec::no_such_node, "no_such_node", "There is no such node", 404, 3},
  {ec::token_used, "token_used", "The token was used before", 403, 6},
  {ec::token_expired, "token_expired", "The token is too old", 403, 6},
  {ec::token_foreign, "token_foreign", "The token is of another cluster", 403,
   6},
  {ec::node_revoked, "node_revoked", "The node may not come back", 403, 6},
  {ec::stale_incarnation, "stale_incarnation",
   "The node has begun another life", 403, 6},
  {ec::certificate_expired, "certificate_expired",
   "The node's certificate counts no more", 403, 6},
  {ec::change_closed, "change_closed", "The change is merged or closed", 409,
   4},
  {ec::unclean_worktree, "unclean_worktree",
   "The worktree has files that are in no commit", 409, 4},
};

} // namespace

const ec_info& info(ec code) {
  for (const auto& row : table)
    if (row.code == code)
      return row;
  return info(ec::internal);
}

ec ec_from_name(std::string_view name) {
  for (const auto& row : table)
    if (row.name == name)
      return row.code;
  return ec::internal;
}

bool may_pass(ec code) {
  switch (code) {
  case ec::timed_out:
  case ec::not_reachable:
  case ec::store_failed:
  case ec::shutting_down:
  case ec::request_in_flight:
    return true;
  default:
    return false;
  }
}

std::string detail_of(const error& e, std::string_view name) {
  for (const auto& [key, value] : e.details)
    if (key == name)
      return value;
  return {};
}

std::string to_string(const error& e) {
  std::string text{to_string(e.code)};
  return e.context.empty() ? text : text + ": " + e.context;
}

} // namespace ao
