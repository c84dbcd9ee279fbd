#pragma once

#include "messages/ids.hpp"
#include "messages/time.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

enum class change_state : std::uint8_t { open = 0, merged = 1, closed = 2 };

std::string_view to_string(change_state s);
std::optional<change_state> change_state_from(std::string_view text);

/// The checks of one head. `none` = the project has none, which passes.
enum class ci_state : std::uint8_t {
  none = 0,
  pending = 1,
  running = 2,
  passed = 3,
  failed = 4,
};

std::string_view to_string(ci_state s);
std::optional<ci_state> ci_state_from(std::string_view text);

enum class review_state : std::uint8_t {
  none = 0,
  pending = 1,
  approved = 2,
  changes_requested = 3,
};

std::string_view to_string(review_state s);
std::optional<review_state> review_state_from(std::string_view text);

/// Whose failure red checks of the present head are.
enum class ci_blame : std::uint8_t {
  /// The change's, as far as is known.
  own = 0,
  /// The base fails as well; its recovery is waited for.
  base = 1,
  /// It was the base's, which is green again: the merged result decides.
  excused = 2,
};

std::string_view to_string(ci_blame b);
std::optional<ci_blame> ci_blame_from(std::string_view text);

/// Where a change stands in the merge queue.
enum class merge_state : std::uint8_t {
  idle = 0,
  queued = 1,
  merging = 2,
  conflict = 3,
};

std::string_view to_string(merge_state s);
std::optional<merge_state> merge_state_from(std::string_view text);

/// Lines of the base that a change replaces; `count` is zero where it only
/// inserts behind line `first`.
struct hunk {
  std::string path;
  std::uint64_t first = 0;
  std::uint64_t count = 0;

  friend bool operator==(const hunk& a, const hunk& b) {
    return a.path == b.path && a.first == b.first && a.count == b.count;
  }
};

/// A row of `changes`: what other forges call a pull request. Born by the
/// project's FORGE; from then on its one writer is its CI WATCHER.
struct change {
  change_id id;
  std::uint64_t version = 0;
  std::uint64_t number = 0;
  project_id project;
  session_id session;
  task_id task;
  epoch_no epoch = 0;
  std::string title;
  std::string body;
  std::string branch;
  std::string base;
  std::string head_sha;
  change_state state = change_state::open;
  /// Both are facts about `head_sha` and are reset when it moves.
  ci_state ci = ci_state::pending;
  review_state review = review_state::none;
  /// Why nobody reviews it at present; empty = somebody does, or none is
  /// wanted.
  std::string review_reason;
  merge_state merge = merge_state::idle;
  /// Why it cannot be merged, e.g. the files in conflict.
  std::string merge_reason;
  std::string merged_sha;
  /// The head of which was said that it could be merged, where nobody but a
  /// person merges.
  std::string ready_sha;
  ci_blame blame = ci_blame::own;
  wall_time created_at{};
  wall_time updated_at{};
};

/// True when nothing stands between the change and the base but the queue.
inline bool is_green(const change& c) {
  return c.ci == ci_state::none || c.ci == ci_state::passed;
}

/// One run of the configured CI command on one commit. A row of `ci`; its one
/// writer is the change's CI WATCHER.
struct ci_run {
  /// `<change>/<sha>`: there is one run per (change, SHA).
  std::string key;
  std::uint64_t version = 0;
  change_id change;
  std::string sha;
  /// True when `sha` is the merged result rather than the head.
  bool merged_result = false;
  ci_state state = ci_state::pending;
  std::vector<std::string> command;
  std::optional<int> exit_code;
  /// `exited`, `signalled`, `timed_out`, … as the shim's exit file says.
  std::string cause;
  /// Directory with the shim's files and `output.log`.
  std::string directory;
  /// 2 once it runs again to see whether its failure was a flake.
  std::uint32_t attempt = 1;
  wall_time started_at{};
  std::optional<wall_time> finished_at;
};

/// The review of one head. A row of `reviews`; its one writer is the change's
/// CI WATCHER.
struct change_review {
  /// `<change>/<sha>`: there is one per (change, SHA).
  std::string key;
  std::uint64_t version = 0;
  change_id change;
  std::string sha;
  /// Where the work under review begins: the merge base with the base branch
  /// when the review was asked for; empty without a reviewer.
  std::string base_sha;
  /// `pending` until somebody has given one; the latest counts.
  review_state verdict = review_state::pending;
  /// Who gave it: `session/app-4`, or `api` = the operator.
  std::string by;
  std::string text;
  /// How many verdicts were given on this head.
  std::uint32_t number = 0;
  /// The reviewer's session; empty = none has been opened.
  session_id session;
  /// How many sessions were wanted for this head, with the present one.
  std::uint32_t attempts = 0;
  /// The run that ended without a verdict and was reminded of it; 0 = none.
  run_no reminded_run = 0;
  /// Why the reviewer gives no verdict; empty while it may.
  std::string failure;
  wall_time asked_at{};
  std::optional<wall_time> given_at;
};

/// True once somebody has approved or requested changes.
inline bool has_verdict(const change_review& r) {
  return r.verdict == review_state::approved
    || r.verdict == review_state::changes_requested;
}

} // namespace ao
