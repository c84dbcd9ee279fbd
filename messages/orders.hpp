#pragma once

#include "messages/change.hpp"
#include "messages/error.hpp"
#include "messages/event.hpp"
#include "messages/ids.hpp"
#include "messages/session.hpp"

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ao::msg {

/// Everything a node needs to bring one session to life: the same for the
/// embedded node and a remote one. Written to `sessions/<id>/spec.json`.
struct session_spec {
  session_id session;
  project_id project;
  task_id task;
  session_role role = session_role::worker;
  epoch_no epoch = 0;
  run_no run = 1;
  resume_reason resume = resume_reason::none;
  /// Short name; begins at `base` when it does not exist.
  std::string branch;
  /// Short name of the branch that changes go to.
  std::string base;
  /// Without a branch: the commit that the worktree is at.
  std::string head = {};
  /// The branch is that of a change which it takes over: others have worked on
  /// it, and it begins at what the forge has.
  bool takes_over = false;
  /// The change that a reviewer reviews.
  change_id change = {};
  std::string title;
  /// The exact bytes for `AO_PROMPT_FILE`.
  std::string prompt;
  std::string agent;
  /// Of a mediator: what `AO_INCIDENT` is, and the bytes for `AO_DOSSIER`.
  incident_id incident = {};
  std::string dossier = {};
  /// Tracker's own reference for `AO_ISSUE_ID`.
  std::string issue;
  /// For (session, epoch, run); `AO_TOKEN`.
  std::string token;
  /// Without a sign of life for so long its run hangs; 0 = never.
  milliseconds hang_after{0};
};

/// HUB → RUNNER: make it true that this run lives. Repeating it is safe.
struct ensure_order {
  session_spec spec;
};

/// How a session's agent is ended.
enum class stop_how : std::uint8_t {
  /// TERM, then KILL; the worktree stays, and what it has is told.
  end_agent = 0,
  /// The same, with the work saved under a rescue ref first.
  save_and_end = 1,
  /// The agent ended, work saved when there is any that no ref holds; then
  /// worktree, pane and branch removed.
  remove = 2,
  /// The same for a session whose work is on the base: the branch goes even
  /// though its own commits are not there (squash).
  remove_merged = 3,
  /// For a session without branch, whose worktree is nobody's work: the agent
  /// ended, then worktree and pane removed, nothing saved.
  discard = 4,
  /// Another has its task by now: the agent ended, and its work kept as
  /// `refs/ao/parked/<session>/e<epoch>-r<run>`; the worktree stays.
  park = 5,
};

std::string_view to_string(stop_how x);
std::optional<stop_how> stop_how_from(std::string_view text);

/// HUB → RUNNER: make it true that no agent of this session lives.
struct stop_order {
  session_id session;
  epoch_no epoch = 0;
  run_no run = 0;
  stop_how how = stop_how::end_agent;
};

/// INTERNAL: the next look for signs of life of this run.
struct liveness_due {
  run_no run = 0;
  /// Not planned: its program says itself that it waits for a person.
  bool called = false;
};

/// INTERNAL: what the transcript of this run says by now.
struct transcript_seen {
  run_no run = 0;
  std::string file;
  conversation_state said;
  /// Texts that have come in from outside since the word before.
  std::vector<std::string> heard;
  /// Nothing more comes: the run is over and its transcript is read.
  bool last = false;
};

/// INTERNAL: a stop of this run should have been carried out by now.
struct stop_overdue {
  run_no run = 0;
};

/// API → UPLINK: what the worktree of a session holds now.
struct inspect_worktree {
  session_id session;
  project_id project;
  /// Short name of the branch that changes go to.
  std::string base;
};

/// HUB → RUNNER: push the session's branch to its forge.
struct publish_order {
  session_id session;
  epoch_no epoch = 0;
  run_no run = 0;
  /// For the forge's hook; empty: the node's own secret signs one.
  std::string token = {};
};

/// Facts that a RUNNER reports. Each is about one run; the hub drops those of
/// an older epoch or run.
namespace fact {

/// A step of provisioning is done (for people: `fetch`, `worktree`, `pane`).
struct step_done {
  std::string step;
};

/// The agent's process lives in its pane.
struct agent_alive {
  int agent_pid = 0;
  int shim_pid = 0;
  std::string workspace_path;
  std::string tmux_socket;
  std::string tmux_pane;
  /// True when it had been alive before the report's sender was started.
  bool adopted = false;
};

/// A step failed and everything that this order had made is undone.
struct provision_failed {
  std::string step;
  error why;
};

/// The run is over.
struct agent_exited {
  exit_info how;
  worktree_facts worktree;
};

/// The branch is at the forge with this head.
struct pushed {
  std::string head_sha;
};

struct push_failed {
  error why;
};

/// A stop order is carried out: nothing of the session runs any more.
struct stopped {
  /// Refs that hold saved work.
  std::vector<std::string> rescued;
  /// True when worktree, pane and branch are gone too.
  bool removed = false;
  /// Why something was kept; empty when all went well.
  std::string kept;
  /// What the worktree has, where only the agent was ended.
  std::optional<worktree_facts> worktree;
};

/// Nothing of this session exists on the node (asked about at adoption).
struct unknown_here {};

/// The RUNNER has (re)started and knows what its files say; what is due may be
/// ordered (again). Of no run.
struct ready {};

/// From the NODE PROXY: the node is lost, and nobody can tell how its run is.
/// Of the run that the row has.
struct node_lost {
  std::string why;
};

/// From the NODE PROXY: the node that was lost is back, and may still have the
/// run.
struct node_back {};

/// From the NODE PROXY: the node that was lost is back, and has this of what
/// the session has left there. Of the grant and the run that were there.
struct work_found {
  node_name node;
  /// Nothing = nothing is there any more.
  std::optional<worktree_facts> worktree;
};

} // namespace fact

using session_fact
  = std::variant<fact::step_done, fact::agent_alive, fact::provision_failed,
                 fact::agent_exited, conversation_state, fact::pushed,
                 fact::push_failed, fact::stopped, fact::unknown_here,
                 fact::ready, fact::node_lost, fact::node_back,
                 fact::work_found>;

/// RUNNER → SESSION: what is the case on the node. At least once, in order of
/// `seq`; the session answers the seq it has made durable.
struct session_report {
  session_id session;
  epoch_no epoch = 0;
  run_no run = 0;
  std::uint64_t seq = 0;
  session_fact what;
};

/// RUNNER → OVERLAPS, by the UPLINK: what the work of a run that lives changes
/// by now, committed and pushed or not. Told at each look for signs of life,
/// so one that is lost does no harm.
struct work_seen {
  session_id session;
  project_id project;
  /// In the order of git's diff; see `hunk`.
  std::vector<hunk> hunks;
};

/// A node's part → UPLINK: something about the node itself, for the record.
struct node_report {
  event_kind kind = event_kind::node_joined;
  std::string subject;
  /// A JSON object, as text.
  std::string data = "{}";
  /// It is found again at each start: not recorded when the last event of
  /// this kind and subject says the same.
  bool once = false;
};

/// The word of a fact for logs: `agent_alive`.
std::string_view fact_name(const session_fact& f);

} // namespace ao::msg
