#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ao {

/// Everything that can go wrong, between actors, processes and hosts.
/// Values travel: append at the end, keep the numbers. The table in error.cpp
/// gives each its name, HTTP status and exit code.
enum class ec : std::uint8_t {
  /// Not an error; zero is reserved by CAF.
  none = 0,
  /// Usage, configuration or any other input that cannot be accepted.
  bad_input = 1,
  no_such_task = 2,
  no_such_session = 3,
  no_such_change = 4,
  no_such_project = 5,
  no_such_route = 6,
  /// No git repository where one is needed.
  no_repository = 7,
  /// Another session holds the task; the context names it.
  task_already_claimed = 8,
  /// The task is merged, done or cancelled.
  task_closed = 9,
  /// The session has ended.
  session_closed = 10,
  dependency_cycle = 11,
  hub_already_running = 12,
  hub_not_running = 13,
  /// The caller's role may not do this.
  not_allowed = 14,
  /// A claim's epoch or an agent's run is older than the present one.
  stale_epoch = 15,
  /// The token is missing, forged or of another home.
  bad_token = 16,
  /// The peer of a socket is another user.
  peer_refused = 17,
  /// The push is not of this session's branch, or not of its claim.
  push_refused = 18,
  /// The agent program is missing or not logged in.
  agent_not_ready = 19,
  timed_out = 20,
  /// A body or prompt over its limit.
  too_large = 21,
  prompt_too_long = 22,
  /// A guard of a store write does not hold; somebody wrote in between.
  guard_failed = 23,
  /// The database failed: nothing of the write is kept, rows can still be read.
  store_failed = 24,
  /// The database was made by a newer version.
  store_too_new = 25,
  /// The home directory cannot be used (owner, mode, unwritable, full).
  home_unusable = 26,
  /// A program that is needed is not installed.
  program_missing = 27,
  git_failed = 28,
  tmux_failed = 29,
  process_failed = 30,
  /// A step of provisioning failed; the context names it.
  saga_failed = 31,
  /// Two heads do not merge by themselves; the context names the files.
  merge_conflict = 32,
  /// The ref is no longer where it was expected.
  ref_moved = 33,
  protocol_mismatch = 34,
  /// No actor of that name at present.
  not_reachable = 35,
  /// Stopping; try again later.
  shutting_down = 36,
  method_not_allowed = 37,
  cursor_too_old = 38,
  forge_not_available = 39,
  /// A defect of ours; reported, never hidden.
  internal = 40,
  /// A child was restarted more often than its limit allows.
  restart_intensity_reached = 41,
  /// The event does not apply in the present state.
  wrong_state = 42,
  request_in_flight = 43,
  no_such_incident = 44,
  /// The incident is over.
  incident_closed = 45,
  /// The question was answered; the context says how.
  already_answered = 46,
  no_such_notification = 47,
  /// There is no authority to prove anybody's identity with.
  cluster_not_initialised = 48,
  /// This node has no certificate of a hub.
  node_not_joined = 49,
  no_such_node = 50,
  /// The join token was used before.
  token_used = 51,
  token_expired = 52,
  /// The join token is of another hub's cluster.
  token_foreign = 53,
  /// The node may not come back.
  node_revoked = 54,
  /// A life of the node that a later one has followed.
  stale_incarnation = 55,
  /// The node's certificate counts no more; it has to join again.
  certificate_expired = 56,
  /// The change is merged or closed.
  change_closed = 57,
  /// The worktree has files that are in no commit.
  unclean_worktree = 58,
};

/// What is known of an error code.
struct ec_info {
  ec code;
  /// Stable word for JSON, logs and people, e.g. `task_already_claimed`.
  std::string_view name;
  /// Short sentence for the problem document.
  std::string_view title;
  int http_status;
  /// Exit code of the command line (CONTRACT §2).
  int exit_code;
};

/// The row of `code`; unknown codes read as `internal`.
const ec_info& info(ec code);

/// The code called `name`, `ec::internal` when there is none.
ec ec_from_name(std::string_view name);

/// The word of `code`.
inline std::string_view to_string(ec code) {
  return info(code).name;
}

/// An error below floor 2: a code and one line of context (lower case, names
/// the subject, says what to do where that is known, no full stop).
struct error {
  ec code = ec::internal;
  std::string context;
  /// Further members of the problem document, e.g. {"holder", "app-4"}.
  std::vector<std::pair<std::string, std::string>> details = {};

  friend bool operator==(const error& a, const error& b) {
    return a.code == b.code && a.context == b.context;
  }
};

/// `task_already_claimed: T42 is held by app-7`.
std::string to_string(const error& e);

template <class T>
using result = tl::expected<T, error>;

/// Whether the same request may succeed later, as nothing is wrong with it:
/// nobody answered, the disk takes no writes, the hub stops, it is under way.
bool may_pass(ec code);

/// The value of a detail of `e`; empty when it has none of that name.
std::string detail_of(const error& e, std::string_view name);

/// Makes the failed side of a result.
inline tl::unexpected<error> fail(ec code, std::string context) {
  return tl::unexpected<error>(error{code, std::move(context)});
}

inline tl::unexpected<error> fail(error e) {
  return tl::unexpected<error>(std::move(e));
}

} // namespace ao
