#pragma once

#include "messages/change.hpp"
#include "messages/error.hpp"
#include "messages/event.hpp"
#include "messages/incident.hpp"
#include "messages/session.hpp"
#include "messages/store.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ao {

/// What the configuration says about a project's changes.
struct change_policy {
  /// The CI command; empty = none, which passes. On a forge with its own CI
  /// (`external_ci`) it is not used.
  std::vector<std::string> ci_command;
  /// True when the forge runs the checks and only their results are told.
  bool external_ci = false;
  /// The first failure of a change may be a flake: its run runs again before
  /// it counts.
  bool ci_rerun = false;
  bool merge_auto = true;
  /// Merges only what is approved, whoever reviews.
  bool require_review = false;
  /// An agent reviews each head: its verdict is waited for while one may come.
  bool reviewer = false;
};

/// One change, the runs of its CI and its reviews, by their keys.
struct change_watch {
  change row;
  std::map<std::string, ci_run> runs;
  std::map<std::string, change_review> reviews = {};
};

/// The key of a run: `<change>/<sha>`, with `/merge` behind it when `sha` is a
/// merged result.
std::string ci_key(const change_id& change, const std::string& sha,
                   bool merged_result);

// -- inputs -------------------------------------------------------------------

/// The CI WATCHER has (re)started from its rows, or the change was just born:
/// what may be undone is done again.
struct change_recovered {};
/// The branch is at another commit.
struct head_moved {
  std::string sha;
  /// The session's present epoch.
  epoch_no epoch = 0;
};
/// Another session has taken its task over, and the change with it.
struct holder_moved {
  session_id session;
  /// Of the grant to it.
  epoch_no epoch = 0;
};
/// A run of CI has begun.
struct ci_began {
  std::string sha;
  bool merged_result = false;
  std::string directory;
};
/// A run of CI has ended.
struct ci_ended {
  std::string sha;
  bool merged_result = false;
  bool passed = false;
  std::optional<int> exit_code;
  /// `exited`, `signalled`, `timed_out`, …
  std::string cause;
  /// The last lines of its log.
  std::vector<std::string> log_tail;
  /// Which of the runs of this commit.
  std::uint32_t attempt = 1;
};
/// The failure of `sha` is the base's, too.
struct base_seen_red {
  std::string sha;
};
/// The base that was red is green.
struct base_seen_green {};
/// A review of `sha` (empty = of the present head). Refused: `wrong_state`
/// (closed), `ref_moved` (of another head), `not_allowed` (its author's).
struct review_given {
  review_state review = review_state::none;
  std::string sha;
  std::string text;
  /// `session/<id>`, or `api` = the operator.
  std::string by = "api";
  /// The session that gave it; empty = none.
  session_id session = {};
};
/// Where the work of `sha` begins is found: its review can be asked for.
struct review_begun {
  std::string sha;
  std::string base_sha;
};
/// The session of the review of `sha` exists, made for that attempt.
struct reviewer_opened {
  std::string sha;
  std::uint32_t attempt = 0;
  session_id session;
};
/// The present row of a reviewer's session.
struct reviewer_told {
  session now;
};
/// `ao pr merge`, or the forge's button: wanted even without `merge.auto`.
/// Refused: `wrong_state` (closed, in conflict, not green, not approved).
struct merge_wanted {
  std::string by = "api";
};
/// The MERGE QUEUE has begun with it.
struct merge_began {};
/// The MERGE QUEUE has made `sha` from head and base and wants its verdict.
struct merge_prepared {
  std::string sha;
};
/// The base is at `merged_sha`, which holds the change.
struct merge_done {
  std::string merged_sha;
};
struct merge_conflicted {
  std::vector<std::string> files;
};
/// Head or base moved meanwhile; once more.
struct merge_raced {};
/// Closed without a merge.
struct change_dropped {
  std::string why;
};

using change_input
  = std::variant<change_recovered, head_moved, ci_began, ci_ended, review_given,
                 merge_wanted, merge_began, merge_prepared, merge_done,
                 merge_conflicted, merge_raced, change_dropped, review_begun,
                 reviewer_opened, reviewer_told, base_seen_red, base_seen_green,
                 holder_moved>;

// -- effects ------------------------------------------------------------------

/// Run the CI command on `sha` in a clean worktree; keyed, so a run that
/// exists is adopted.
struct run_ci {
  std::string sha;
  bool merged_result = false;
};
/// End the run of a commit that no longer matters.
struct cancel_ci {
  std::string sha;
  bool merged_result = false;
};
/// Put the change into its MERGE QUEUE (again).
struct enqueue_merge {};
/// Tell the MERGE QUEUE the verdict on the merged result `sha`.
struct tell_queue {
  std::string sha;
  bool passed = false;
};
/// Tell the row to SESSION and TASK, and to the reviewers' sessions.
struct tell_owners {};
/// Find where the work of `sha` begins and say it by `review_begun`.
struct find_review_base {
  std::string sha;
};
/// Have the session of this review opened; keyed by its attempt, so one that
/// exists is the answer.
struct open_reviewer {
  change_review of;
};
/// Tell the reviewer's agent, once, that its verdict is missing.
struct remind_reviewer {
  change_review of;
};
/// The agent may not have been told of the failed run of `sha`: find its log
/// again by asking for the run, which has ended.
struct retell_failure {
  std::string sha;
  bool merged_result = false;
};
/// Tell ESCALATION that the cause is there; it tells the agent, and whom it
/// must when that does not help. Where the base fails as well, nobody is told
/// of `ci_failed`: it is `base_seen_red`.
struct report_failure {
  incident_cause cause = incident_cause::ci_failed;
  std::string sha;
  std::string text;
  std::vector<std::string> log_tail;
};
/// Tell ESCALATION that the cause is gone; absent = all of the task.
struct report_recovery {
  std::optional<incident_cause> cause;
  std::string why;
};

using change_effect
  = std::variant<run_ci, cancel_ci, enqueue_merge, tell_queue, tell_owners,
                 retell_failure, report_failure, report_recovery,
                 find_review_base, open_reviewer, remind_reviewer>;

/// What an input leads to.
struct change_step {
  change_watch next;
  /// Rows to commit (versions are already one more): the change, CI runs,
  /// reviews.
  std::vector<row> rows;
  std::vector<event> events;
  /// To be done after the commit, in this order.
  std::vector<change_effect> effects;
  /// Why the input was dropped; empty when it was not.
  std::string dropped;
  /// Set when the one who asked is to be refused.
  std::optional<error> refused;
};

/// The machine of the CI WATCHER: state per head SHA, each event once per
/// (SHA, conclusion), words about another SHA are dropped.
///
///   open --head--> run CI, ask for a review
///        --passed, and approved where wanted--> queued --> merging
///        merging --done--> merged
///                --conflict--> waits for a new head
///                --raced--> queued
///                --merged result fails--> ci failed, waits for a new head
///
/// A head that fails where its base fails as well is not blamed. When the base
/// is green again, the change is queued all the same: what counts is the merged
/// result.
change_step next_change(const change_watch& watch, const change_input& input,
                        const change_policy& policy, wall_time now);

} // namespace ao
