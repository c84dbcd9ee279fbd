#pragma once

#include "messages/change.hpp"
#include "messages/error.hpp"
#include "messages/event.hpp"
#include "messages/ids.hpp"
#include "messages/session.hpp"
#include "messages/task.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ao::msg {

/// What the REGISTRY is asked. Each that a person or an agent can cause
/// carries the request id of its first asker; `actor` is who decided it, for
/// the event.

struct add_task {
  request_id request;
  project_id project;
  /// Canonical key; empty = `<project>/task:<n>`, made by the registry.
  std::string key;
  std::string ref;
  std::string title;
  std::string body;
  std::vector<task_id> needs;
  int priority = 5;
  std::vector<std::string> labels;
  std::string agent;
  std::string actor = "api";
};

/// Adds all of a backlog or nothing. `needs` may also name keys of the same
/// batch, also of later ones.
struct add_tasks {
  request_id request;
  std::vector<add_task> items;
  std::string actor = "api";
};

struct tasks_added {
  /// In the order of the items.
  std::vector<task> tasks;
  /// Of each: false when its key was there already.
  std::vector<bool> fresh;
};

/// To the BACKLOG: take in the backlog of `project`.
struct import_backlog {
  request_id request;
  project_id project;
  /// What somebody else has read; absent = the project's own is read.
  std::optional<std::string> text;
  /// Where that came from: an absolute path, or `-`.
  std::string file;
  std::string actor = "api";
};

struct backlog_imported {
  /// What was read, as it is named in the keys.
  std::string source;
  /// What the backlog says, and the tasks that it came to.
  std::vector<add_task> items;
  tasks_added outcome;
};

/// Grants the claim on a task (or on a role's subject) and makes the session's
/// row in the same commit.
struct open_session {
  request_id request;
  /// Empty for a role session.
  task_id task;
  /// `role/<subject>` and project of a role session.
  std::string subject = {};
  project_id project = {};
  /// What a reviewer reviews, or a worker takes over.
  change_id change = {};
  std::string head = {};
  /// Of a worker that takes `change` over: who worked on it last; see the
  /// rule's `open_session`.
  session_id took_over = {};
  session_id gives_up = {};
  session_role role = session_role::worker;
  /// `<prefix>-<n>` becomes the session's id.
  std::string session_prefix;
  /// `ao/{session}`.
  std::string branch_template;
  std::string base;
  std::string agent;
  node_name node;
  std::string actor = "api";
};

struct opened_session {
  session opened;
  task of;
  /// This is the first answer to a request that came again.
  bool repeated = false;
};

/// Moves a task on behalf of the holder of `epoch`.
struct move_task {
  task_id task;
  epoch_no epoch = 0;
  task_state to = task_state::ready;
  std::string why;
  change_id change;
  std::string actor;
  /// Event that caused it; 0 = none.
  std::uint64_t cause = 0;
};

/// Gives a task back; it is ready (or blocked) again.
struct release_claim {
  /// The claim's subject; a role's is answered with an empty task.
  task_id task;
  epoch_no epoch = 0;
  std::string why;
};

/// A person must look: the claim is given back.
struct park_task {
  request_id request;
  task_id task;
  std::string why;
};

struct cancel_task {
  request_id request;
  task_id task;
  bool cascade = false;
  std::string actor = "api";
};

/// Gives a session that exists its subject under a new epoch.
struct regrant_claim {
  request_id request;
  /// Task or `role/<subject>`.
  std::string subject;
  session_id session;
  node_name node;
  std::string why;
};

/// To the DISPATCHER: start nothing any more; the hub is about to stop.
struct hold_dispatch {
  std::string why;
};

/// Puts a failed, parked or cancelled task back to `ready`.
struct retry_task {
  request_id request;
  task_id task;
  std::string actor = "api";
};

/// INCIDENT → REGISTRY: the task is this from now on.
struct revise_task {
  request_id request;
  task_id task;
  std::string title;
  std::string body;
  std::string actor = "api";
};

/// OVERLAPS → REGISTRY: the live sessions of these two tasks change the same
/// lines.
struct suspect_tasks {
  task_id task;
  session_id session;
  task_id other;
  session_id other_session;
  /// 0 to 100.
  int score = 0;
  std::string reason;
};

/// What people and the BREAKERS order of a SESSION.
struct session_order {
  enum class kind : std::uint8_t {
    /// End it; its work is saved, its worktree kept.
    kill = 0,
    /// Start it again (run + 1), under a new grant where it has lost its own.
    restore = 1,
    /// Save, then remove worktree, pane and branch of an ended one.
    cleanup = 2,
    /// End its agent until the hub restores it (`ao stop --agents`).
    park = 3,
    /// The login that its agent had lost works again, or is tried with it.
    log_in = 4,
    /// Its node is to be empty: end its agent there, work saved; then restore
    /// it under a new grant, elsewhere.
    move = 5,
  } what = kind::kill;
  request_id request;
  std::string actor = "api";
};

/// NODE PROXY → REGISTRY: what a node has seen. Where the registry knows less,
/// its records are older than the world: its numbers go on above, and a claim
/// that was granted anew since then is given back. Answers how many it raised.
struct raise_numbers {
  node_name node;
  /// A task and its highest epoch; one more than that where a later run of the
  /// epoch was seen than is known.
  std::vector<std::pair<task_id, epoch_no>> epochs;
  /// A prefix and the number of its last session.
  std::vector<std::pair<std::string, std::uint64_t>> sessions;
};

/// `ao report <state>` and `ao acknowledge`.
struct agent_word {
  request_id request;
  epoch_no epoch = 0;
  run_no run = 0;
  /// The original's states: `started completed needs_input …`.
  std::string state;
  std::string note;
};

/// Level-triggered facts between owners: the sender's whole present row;
/// receivers ignore versions that they have.
struct session_changed {
  session now;
  /// The sender has just started: what it was told before may be lost.
  bool started = false;
};

struct change_changed {
  change now;
};

struct task_changed {
  task now;
};

/// What a FORGE is asked.
struct open_change {
  request_id request;
  session_id session;
  epoch_no epoch = 0;
  task_id task;
  std::string branch;
  /// Empty = the task's.
  std::string title;
  std::string body;
  /// Empty = what the forge has.
  std::string head_sha;
  std::string actor = "api";
};

/// Where the work on `head_sha` begins.
struct find_base {
  change_id change;
  std::string head_sha;
};

struct found_base {
  std::string sha;
};

/// SESSION → FORGE: the commit that a branch is at.
struct find_head {
  std::string branch;
};

struct found_head {
  /// Empty = there is no such branch.
  std::string sha;
};

/// API → CI WATCHER: merge this change, which nobody merges by itself.
struct merge_change {
  change_id change;
  std::string by = "api";
};

/// A verdict on the present head of a change. The same request id has the
/// first answer.
struct submit_review {
  request_id request;
  change_id change;
  review_state verdict = review_state::approved;
  /// Empty = the present head.
  std::string sha;
  std::string text;
  /// `session/<id>`, or `api` = the operator.
  std::string by = "api";
  session_id session = {};
};

struct review_submitted {
  change_review review;
  /// This is the first answer to a request that came again, or the very
  /// review that was known.
  bool repeated = false;
};

/// The hook's news: refs of the forge have moved.
struct branch_pushed {
  std::string branch;
  std::string head_sha;
};

/// CI: run the project's command on `sha`.
struct run_ci {
  change_id change;
  std::string sha;
  bool merged_result = false;
  /// Each is a run of its own.
  std::uint32_t attempt = 1;
};

/// CI: nobody wants the verdict on `sha` any more.
struct cancel_ci {
  change_id change;
  std::string sha;
  bool merged_result = false;
  std::uint32_t attempt = 1;
};

/// BASE WATCH: does the base fail as well, so that the change is not to be
/// blamed?
struct judge_failure {
  change_id change;
  session_id session;
  std::string sha;
};

struct base_judgement {
  /// It is reported to ESCALATION then.
  bool red = false;
};

/// FORGE → BASE WATCH: the base is at another commit.
struct base_moved {};

/// BASE WATCH → CI WATCHER: the base, which was red, is green.
struct base_recovered {};

/// FORGE: bring the base forward to the checkout's branch.
struct follow_checkout {
  /// Who asked before the last look began is answered without another one.
  mono_time asked{};
};

/// INTERNAL of the CI RUNNERS: the shim of this run has hung up.
struct ci_ended {
  std::string key;
};

struct ci_finished {
  change_id change;
  std::string sha;
  bool merged_result = false;
  ci_state state = ci_state::passed;
  std::vector<std::string> command;
  std::optional<int> exit_code;
  std::string cause;
  std::string directory;
  /// The log's last lines, at most 100.
  std::vector<std::string> log_tail;
  wall_time started_at{};
  wall_time finished_at{};
};

/// MERGE QUEUE: merge this head when the result is green.
struct enqueue_change {
  change_id change;
  std::string head_sha;
};

/// What became of an item of the merge queue.
struct merge_outcome {
  change_id change;
  std::string head_sha;
  enum class kind : std::uint8_t {
    merged = 0,
    conflict = 1,
    /// Green alone, red together with what was merged meanwhile.
    red = 2,
    /// The head is not at the forge any more.
    stale = 3,
  } what = kind::merged;
  std::string merged_sha;
  std::vector<std::string> files;
  std::string detail;
};

/// SESSION → DISPATCHER: this session (re)starts and waits for a slot.
struct admit_session {
  session_id session;
};

/// SESSION → DISPATCHER: the slot of this session is free again.
struct slot_free {
  session_id session;
};

/// DISPATCHER → SESSION: it has a slot on `node`.
struct slot_granted {
  node_name node;
  /// Why there; empty where there is only one.
  std::string why = {};
};

/// DISPATCHER → SESSION: it has to wait, and why.
struct slot_waits {
  std::string reason;
};

/// INTERNAL of the SESSION: the delay before this restart is over.
struct restart_now {
  run_no run = 0;
};

/// MERGE QUEUE → CI WATCHER: the change is at the front of the queue.
/// Answered with its row as it is then.
struct begin_merge {
  change_id change;
};

/// MERGE QUEUE → CI WATCHER: run the checks on the merged result `sha`.
struct check_merge {
  change_id change;
  std::string sha;
};

struct merge_verdict {
  std::string sha;
  bool passed = false;
};

/// What the STORE is asked when the ring of newest events does not reach back
/// far enough: at most `limit` events after the cursor, oldest first.
struct read_events {
  std::uint64_t after = 0;
  std::size_t limit = 1000;
  /// Only those of this subject.
  std::optional<std::string> subject;
};

struct event_page {
  std::vector<event> events;
};

/// … → STORE, from whoever would refuse a request: was it executed before?
struct recall_request {
  request_id request;
};

} // namespace ao::msg
