#pragma once

#include "messages/ids.hpp"
#include "messages/time.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// What a session is for; decides what its token may do (DESIGN §12).
enum class session_role : std::uint8_t {
  worker = 0,
  orchestrator = 1,
  mediator = 2,
  reviewer = 3,
  /// A claim held by a person or another program, without agent and pane.
  manual = 4,
};

/// Whether a session of this role is there for a verdict on others' work: its
/// own worktree is nobody's work.
constexpr bool is_judge(session_role r) {
  return r == session_role::reviewer || r == session_role::mediator;
}

std::string_view to_string(session_role r);
std::optional<session_role> session_role_from(std::string_view text);

/// Facet "runtime": what is known of the agent's process. `queued` waits for
/// a slot or an open need; nothing exists on the node yet.
enum class runtime_state : std::uint8_t {
  queued = 0,
  provisioning = 1,
  starting = 2,
  alive = 3,
  exited = 4,
  lost = 5,
  parked = 6,
};

std::string_view to_string(runtime_state s);
std::optional<runtime_state> runtime_state_from(std::string_view text);

/// Facet "activity": what the agent itself seems to do.
enum class activity_state : std::uint8_t {
  unknown = 0,
  active = 1,
  ready = 2,
  idle = 3,
  waiting_input = 4,
  blocked = 5,
};

std::string_view to_string(activity_state s);
std::optional<activity_state> activity_state_from(std::string_view text);

/// What an agent's own transcript says of its conversation.
struct conversation_state {
  activity_state activity = activity_state::unknown;
  /// What the agent asks, while it waits for an answer.
  std::string question = {};
  /// How its last turn failed: `auth`, `rate_limited`, `overloaded`, `quota`,
  /// `context_exhausted`, `network`, `tool`; empty when it did not.
  std::string failure = {};
  /// The program's own words about that.
  std::string problem = {};
  /// When the limit that it met ends, where the program says so.
  std::optional<wall_time> until = {};
  /// What the program resumes the conversation by.
  std::string conversation = {};
  /// The agent's last words.
  std::string last_words = {};
  /// Of the whole conversation.
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
};

/// How a session ended; `open` while it has not.
enum class session_end : std::uint8_t {
  open = 0,
  merged = 1,
  done = 2,
  killed = 3,
  errored = 4,
};

std::string_view to_string(session_end e);
std::optional<session_end> session_end_from(std::string_view text);

/// Why an agent was started again (`AO_RESUME_REASON`).
enum class resume_reason : std::uint8_t {
  none = 0,
  crash = 1,
  hang = 2,
  oom = 3,
  message = 4,
  restore = 5,
  hub = 6,
};

std::string_view to_string(resume_reason r);
std::optional<resume_reason> resume_reason_from(std::string_view text);

/// How one run of an agent ended, from the shim's exit file.
struct exit_info {
  run_no run = 0;
  /// One of the two is set; neither when the agent could not be started.
  std::optional<int> code;
  std::optional<int> signal;
  /// `exited signalled stopped timed_out hangup start_failed`.
  std::string cause;
  wall_time at{};
  /// Bytes that were typed and never read.
  std::uint64_t unread = 0;
  /// Failure class by DESIGN §8 (`crash`, `hang`, …); empty for exit 0.
  std::string failure;
  /// When the limit that it met ends, where the program says so.
  std::optional<wall_time> until;
  std::vector<std::string> last_lines;
};

/// What the node saw in a worktree when its agent ended or was asked.
struct worktree_facts {
  std::string head_sha;
  /// Uncommitted or untracked files, as short `git status` lines.
  bool dirty = false;
  std::vector<std::string> status_lines;
  /// How many files that is.
  std::uint64_t changed = 0;
  /// Commits that the base branch does not have.
  std::uint64_t ahead = 0;
};

/// How it stands with what a lost node has of a session.
enum class left_state : std::uint8_t {
  /// The node is away, or has just come back.
  away = 0,
  /// It is back; the replacement is stopped to see what that has.
  compared = 1,
  /// The task goes back to it: the replacement's work is put under a ref, and
  /// the claim is granted anew.
  returns = 2,
  /// The claim was granted anew for its node.
  back = 3,
};

std::string_view to_string(left_state s);
std::optional<left_state> left_state_from(std::string_view text);

/// What a session has left on a node that was lost, when its task was given to
/// another.
struct left_work {
  node_name node;
  /// The grant and the run there, or the last that the node has said.
  epoch_no epoch = 0;
  run_no run = 0;
  /// The commit of the branch at the forge then; empty = there was none.
  std::string head;
  left_state state = left_state::away;
  /// What the node has found there when it was back.
  std::optional<worktree_facts> worktree;
};

/// A row of `sessions`. Born in the commit that grants its claim (REGISTRY);
/// from then on its one writer is the SESSION.
struct session {
  session_id id;
  std::uint64_t version = 0;
  project_id project;
  session_role role = session_role::worker;
  /// The task held; empty for role sessions.
  task_id task;
  /// The subject of its claim: the task's id, or `role/<subject>`.
  std::string subject;
  epoch_no epoch = 0;
  /// The current or last run; 0 before the first start.
  run_no run = 0;
  node_name node;
  std::string agent;
  std::string branch;
  std::string base;
  /// The commit that a worktree without branch is at (a reviewer's); empty for
  /// a session that works on its branch.
  std::string head;
  runtime_state runtime = runtime_state::queued;
  /// Why the runtime is in this state: a saga step, a queue reason, an error.
  std::string reason;
  activity_state activity = activity_state::unknown;
  /// Set when a person (or another agent) has to answer something; the text
  /// says what.
  std::string needs_input;
  /// What the agent program resumes its conversation by; empty where it keeps
  /// none.
  std::string conversation;
  /// What the agent has said last, cut to a few lines.
  std::string last_words;
  /// Of the whole conversation.
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  /// How its last turn failed (a class of DESIGN §8); empty when it did not.
  std::string turn_failure;
  /// When the limit that it met then ends, where the program says so.
  std::optional<wall_time> turn_until;
  resume_reason resume = resume_reason::none;
  /// The message that is the prompt of the present run; empty = the task's.
  message_id prompt;
  int agent_pid = 0;
  int shim_pid = 0;
  std::string workspace_path;
  std::string tmux_socket;
  std::string tmux_pane;
  std::optional<exit_info> exit;
  std::optional<worktree_facts> worktree;
  change_id change;
  /// On a node that was lost, while it goes on elsewhere or is on its way back.
  std::optional<left_work> left;
  /// It has gone back to a node that was lost; it does so once.
  bool went_back = false;
  /// Whose work on `change` it goes on with, on the same branch; empty for one
  /// that begins anew.
  session_id took_over;
  /// Set when it has done what it is for: its agent may leave by itself for a
  /// while before it is ended.
  std::optional<wall_time> finished_at;
  /// What it has done then.
  std::string finished;
  /// Restarts after failures, over all hub lives.
  std::uint32_t restarts = 0;
  session_end end = session_end::open;
  std::string end_reason;
  /// True once the worktree, pane and branch are gone.
  bool cleaned = false;
  wall_time created_at{};
  wall_time updated_at{};
  /// When `runtime` last changed.
  wall_time since{};
  std::optional<wall_time> started_at;
  std::optional<wall_time> ended_at;
};

inline bool is_terminal(const session& s) {
  return s.end != session_end::open;
}

} // namespace ao
