#pragma once

#include "messages/change.hpp"
#include "messages/event.hpp"
#include "messages/session.hpp"
#include "messages/settings.hpp"
#include "messages/store.hpp"
#include "runtime/rules/restart_window.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ao {

/// What the configuration says about one session.
struct session_policy {
  /// `openChange: auto`: the hub pushes and opens; else the agent does.
  bool open_change_auto = true;
  /// Remove the worktree as soon as the change is merged.
  bool remove_after_merge = false;
  /// Restarts after failures: at most `intensity` within `period`.
  restart_limits restart{2, std::chrono::minutes{30}, std::chrono::seconds{15},
                         std::chrono::minutes{5}, 0.25};
  /// Whose work counts when a node that was lost returns.
  reconcile_policy reconcile = reconcile_policy::keep_original;
};

/// What every decision is told besides the input.
struct session_context {
  session_policy policy;
  wall_time now{};
  /// A number from 0 to 1, drawn by the caller; spreads restarts.
  double draw = 0.5;
};

/// The hub's side of one session: its row and what is kept in memory only.
struct session_state {
  session row;
  /// The highest report number taken in from the present run.
  std::uint64_t seen = 0;
  /// When runs of it failed, within the period; after a hub restart the
  /// caller fills it from the `agent_restarted` events.
  std::vector<wall_time> failures;
};

// -- facts: what the RUNNER reports -------------------------------------------

/// A step of provisioning is under way.
struct step_reached {
  std::string name;
};
/// The agent of the run lives.
struct agent_alive {
  int agent_pid = 0;
  int shim_pid = 0;
  std::string workspace_path;
  /// Both empty for an adopted run, whose pane is known.
  std::string tmux_socket;
  std::string tmux_pane;
};
/// `ao report <word>`.
struct agent_said {
  std::string word;
  std::string note;
};
/// The agent of the run has ended by itself or by a foreign hand.
struct agent_ended {
  exit_info exit;
  worktree_facts worktree;
};
/// A step failed; everything the saga had made is undone.
struct provision_failed {
  std::string step;
  std::string why;
  /// The disk was full, read-only or failing: not the agent's doing.
  bool by_disk = false;
  /// Its agent program is not ready: not logged in, not installed.
  bool by_agent = false;
  /// It is not logged in; implies `by_agent`.
  bool by_login = false;
};
/// The branch is on `origin` at `head_sha`.
struct branch_pushed {
  std::string head_sha;
};
struct push_failed {
  std::string why;
  /// It may succeed by itself: the hub or the forge could not be asked.
  bool passes = false;
};
/// Our stop is carried out; nothing of the run is left.
struct run_stopped {
  std::optional<exit_info> exit;
  /// The ref of the saved work, if there was any.
  std::string rescue_ref;
  /// What the worktree has, where only the agent was ended.
  std::optional<worktree_facts> worktree = {};
};
/// Worktree, pane and branch are gone, or kept for the reason given; or the
/// agent could not be ended for that reason, and is to be stopped again.
struct cleaned_up {
  std::string kept_because;
};

using session_fact
  = std::variant<step_reached, agent_alive, conversation_state, agent_said,
                 agent_ended, provision_failed, branch_pushed, push_failed,
                 run_stopped, cleaned_up>;

/// A fact with its origin. Facts of another epoch or run, and those seen, are
/// dropped; 0 as `seq` is never taken as seen.
struct session_report {
  epoch_no epoch = 0;
  run_no run = 0;
  std::uint64_t seq = 0;
  session_fact fact;
};

// -- the other inputs ---------------------------------------------------------

/// The SESSION has (re)started from its row: what may be undone is done again.
struct session_recovered {};
/// The DISPATCHER has given it a slot.
struct slot_granted {
  node_name node;
  /// Why there, for the record.
  std::string why = {};
};
/// It has to wait.
struct slot_waits {
  std::string reason;
};
/// A restart that was armed is due.
struct restart_due {
  run_no run = 0;
};
/// The login that its agent had lost works again, or is tried with it.
struct login_restored {};
/// There is a message for the agent; an exited one is started again with it.
struct message_waits {
  message_id message;
  /// The run that is over; a later one has a prompt of its own.
  run_no run = 0;
};
/// `ao session kill`.
struct kill_session {
  std::string why;
};
/// Stop, save, wait for a restore.
struct park_session {
  std::string why;
  /// `ao stop --agents`: its task stays claimed, and what is queued stays so.
  bool by_hub = false;
};
/// Start it again. An ended (`killed`, `errored` only), lost or parked one
/// needs the epoch of a new grant, unless the hub had parked it; 0 = the same.
/// The only way out of an end.
struct restore_session {
  epoch_no epoch = 0;
  node_name node;
  resume_reason reason = resume_reason::restore;
  /// Set when its node is lost, which may come back: the commit of its branch
  /// at the forge, empty where there is none.
  std::optional<std::string> lost_at = {};
};
/// Its task has ended, or it holds its claim no longer.
struct end_session {
  session_end end = session_end::done;
  std::string why;
};
/// It has done what it is for. Its agent may leave by itself for a while;
/// then, or at once when none lives, the session has ended as `done`.
struct work_finished {
  std::string why;
};
/// `ao session cleanup`.
struct cleanup_session {};
/// Its change, as the CI WATCHER tells it.
struct change_told {
  change_id change;
  change_state state = change_state::open;
};
/// The lease of its node is gone, or the node does not know the run.
struct node_gone {
  std::string why;
};

/// The node that was lost is back, and may still have the run.
struct node_back {};

/// A node that was lost is back, where this was left under that grant; nothing
/// of it runs there.
struct original_back {
  node_name node;
  epoch_no epoch = 0;
  run_no run = 0;
  /// Nothing = nothing is there any more.
  std::optional<worktree_facts> worktree;
  /// The commit of the branch at the forge now; empty = there is none.
  std::string head;
  /// Why the node gets no work (`draining`); empty = it does.
  std::string closed;
};

/// The replacement was stopped for a look at what it has.
struct work_compared {
  /// As of `original_back`.
  std::string head;
  std::string closed;
  /// The session holds its task yet.
  bool held = true;
};

using session_input
  = std::variant<session_recovered, slot_granted, slot_waits, session_report,
                 restart_due, message_waits, kill_session, park_session,
                 restore_session, end_session, cleanup_session, change_told,
                 node_gone, node_back, work_finished, login_restored,
                 original_back, work_compared>;

// -- effects ------------------------------------------------------------------

/// Order the RUNNER to have this run; idempotent.
struct ensure_run {
  run_no run = 0;
  resume_reason reason = resume_reason::none;
};
/// Order the RUNNER to end the run and all it left, TERM before KILL, with
/// uncommitted work saved first.
struct stop_run {
  run_no run = 0;
};
/// Order the RUNNER to push the branch.
struct publish_branch {};
/// Ask the FORGE for the change of the branch; a known one gets the head.
struct open_change {
  std::string head_sha;
};
/// Tell the row to the TASK; of a reviewer, to its change's CI WATCHER.
struct tell_task {};
/// Tell the DISPATCHER that it waits for a slot.
struct await_slot {};
/// Tell the DISPATCHER that a slot may be free.
struct release_slot {};
/// Order the RUNNER to save, then remove worktree, pane and branch.
struct remove_worktree {};
/// Send `restart_due{run}` to itself after `delay`.
struct arm_restart {
  run_no run = 0;
  milliseconds delay{0};
};
/// Send `session_recovered` to itself after `delay`.
struct look_later {
  milliseconds delay{0};
};
/// Ask the forge what was delivered, for `work_compared`.
struct compare_work {};
/// Have the REGISTRY grant the claim anew for the node that has the original.
struct take_back {};
/// Order a node to park what it has of a run that has lost.
struct disown_run {
  node_name node;
  epoch_no epoch = 0;
  run_no run = 0;
};
/// Open an incident (causes of DESIGN §10).
struct raise_incident {
  std::string cause;
  std::string text;
};

using session_effect
  = std::variant<ensure_run, stop_run, publish_branch, open_change, tell_task,
                 await_slot, release_slot, remove_worktree, arm_restart,
                 raise_incident, look_later, compare_work, take_back,
                 disown_run>;

/// What an input leads to.
struct session_step {
  session_state next;
  /// True when the row differs and is to be committed (its version is already
  /// one more).
  bool changed = false;
  std::vector<event> events;
  /// To be done after the commit, in this order.
  std::vector<session_effect> effects;
  /// Why the input was dropped; empty when it was not.
  std::string dropped;
  /// Set when the one who asked is to be refused.
  std::optional<error> refused;
};

/// True where the end of a run says nothing about its agent: the terminal
/// server has died (`hangup`), the host was started anew (`reboot`), or the
/// disk did not let it start (`disk`). Such ends are not counted as failures.
bool has_common_cause(const exit_info& e);

/// True for a failure that passes by itself: it is waited for and not counted.
bool passes(const exit_info& e);
bool passes(const std::string& failure);

/// True for the end of a run that counts against the restart policy.
bool is_counted(const exit_info& e);

/// True where a step has failed for want of a disk that can be written.
bool is_disk_trouble(const error& why);

/// True for a parked session that goes on by itself when the hub restores
/// (`ao stop --agents`); its task stays claimed. Others are parked for a
/// person, and so is their task.
bool parked_by_hub(const session& s);

/// True while something of a session may run or write on its node, also of
/// one that has ended and is being stopped. Of a lost one nobody knows.
bool is_at_work(const session& s);

/// True while `other` has to leave the branch that `s` takes over, or does not
/// know yet that it has to: `s` does not begin before.
bool has_to_leave(const session& other, const session& s);

/// True while an exited session is to be started again by itself.
bool awaits_restart(const session& s);

/// What somebody else has to look at, as the row says; nothing when all is
/// well.
std::optional<raise_incident> trouble_of(const session& s);

/// The machine of one session, hub side.
///
///   queued --slot--> provisioning --steps--> alive --exit 0--> exited
///      alive --crash--> exited --due--> queued --slot--> starting (run + 1)
///      alive --crash beyond the intensity--> parked + incident
///      provisioning (first run) --failed--> errored
///      alive --node gone--> lost --reported again--> alive
///      exited --message--> starting (run + 1)
///      alive, exited without its login --restored--> starting (run + 1)
///      alive, exited at a limit --the limit ends--> starting (run + 1)
///      exited, parked, lost, killed --restore--> queued
///      lost --restore elsewhere, its node returns--> parked, to compare
///         --the replacement counts--> queued
///         --the original counts--> its work parked --granted anew--> queued,
///         there
///      any --kill, end--> ended; the run is stopped after the commit
///      any --finished--> its agent leaves, or is ended --> done
///
/// A reviewer that exits with 0 stays `exited`: its verdict may be missing.
session_step next_session(const session_state& state,
                          const session_input& input,
                          const session_context& context);

/// The machine with its state, of which the row is shared with whoever reads
/// it.
class session_machine {
public:
  /// @param row Never null.
  explicit session_machine(row_ptr<session> row) : row_(std::move(row)) {}

  const session& row() const { return *row_; }

  /// When runs have failed in an earlier life of the SESSION.
  void remember(std::vector<wall_time> failures) {
    failures_ = std::move(failures);
  }

  session_step decide(const session_input& input,
                      const session_context& context) const {
    return next_session({*row_, seen_, failures_}, input, context);
  }

  /// After the commit.
  /// @param committed The row of the step, as everybody reads it now.
  void adopt(const session_step& step, row_ptr<session> committed) {
    row_ = std::move(committed);
    seen_ = step.next.seen;
    failures_ = step.next.failures;
  }

private:
  row_ptr<session> row_;
  std::uint64_t seen_ = 0;
  std::vector<wall_time> failures_;
};

} // namespace ao
