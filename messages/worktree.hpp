#pragma once

#include "messages/ids.hpp"
#include "messages/session.hpp"

#include <string>
#include <vector>

namespace ao::msg {

/// RUNNER → REPOSITORY: a worktree for this session.
struct add_worktree {
  session_id session;
  std::string branch;
  /// Short name of the branch that a new one begins at.
  std::string base;
  std::string path;
  /// Instead of a branch: the commit that it is at, detached.
  std::string head = {};
  /// The branch is taken from the session that has it here, whose work is
  /// kept first, and is at what origin has.
  bool take_over = false;
};

struct worktree_made {
  /// True when this call made the branch (so that an undo may delete it).
  bool new_branch = false;
  bool new_worktree = false;
  /// The ref that keeps what the former holder of the branch had there; empty =
  /// nothing had to be kept.
  std::string kept = {};
};

/// RUNNER → REPOSITORY: remove worktree and branch if nothing is lost by it.
struct drop_worktree {
  session_id session;
  std::string branch;
  std::string base;
  std::string path;
  /// Undo of a failed provisioning: nobody has worked in it.
  bool undo = false;
  /// What is in it is nobody's work: nothing is saved.
  bool discard = false;
  bool keep_branch = false;
  /// The work is on the base already, in another commit (squash): the branch
  /// may go.
  bool merged = false;
};

struct worktree_dropped {
  /// Refs that hold what was saved first.
  std::vector<std::string> rescued;
  /// Why something is kept; empty when all is gone.
  std::string kept;
};

/// RUNNER → TMUX.
struct open_pane {
  session_id session;
  /// Part of the pane's identity: one of another run is closed first.
  run_no run = 0;
  std::string cwd;
  /// `sessions/<id>`, where the shim finds `launch.json`.
  std::string directory;
};

struct pane_opened {
  std::string socket;
  std::string pane;
};

struct close_pane {
  session_id session;
};

/// INVENTORY → TMUX: which panes there are, on all servers.
struct list_panes {};

struct pane_list {
  struct pane {
    session_id session;
    std::string socket;
    std::string pane;
  };
  std::vector<pane> panes;
};

/// RUNNER → TMUX: when the session's pane last had output.
struct ask_activity {
  session_id session;
};

struct pane_activity {
  /// Seconds of the wall clock; only to be compared.
  std::int64_t last_output = 0;
};

/// INTERNAL of the TMUX: the server behind this socket has ended.
struct terminal_gone {
  std::string socket;
  int pid = 0;
};

/// RUNNER → TMUX: paste the text into the session's pane and submit it.
struct paste_text {
  session_id session;
  std::string text;
};

/// RUNNER → TMUX: paste the text into the pane of this run, no Enter.
struct type_text {
  session_id session;
  run_no run = 0;
  std::string text;
};

/// RUNNER → TMUX: press one key in the pane of this run.
struct press_key {
  session_id session;
  run_no run = 0;
  std::string key;
};

/// RUNNER → TMUX: what the pane of this run shows.
struct look_at_pane {
  session_id session;
  run_no run = 0;
};

/// The screen of a pane, and how its terminal is set.
struct seen_pane {
  /// The visible rows, wrapped ones joined.
  std::string screen;
  int cursor_x = 0;
  int cursor_y = 0;
  /// The row that the cursor is in.
  std::string cursor_row;
  /// The kernel shows what is typed.
  bool echo = false;
  /// The kernel hands out whole lines and treats control characters.
  bool line_mode = false;
};

/// INTERNAL of the RUNNER: the next step of the delivery of `message` is due.
struct typing_due {
  message_id message;
};

/// INTERNAL: what the link to a shim has to say.
struct shim_word {
  enum class kind : std::uint8_t { hello = 0, exited = 1, closed = 2 } what
    = kind::hello;
  /// Which of the RUNNER's links says it.
  std::uint64_t dial = 0;
  run_no run = 0;
  int agent_pid = 0;
  int shim_pid = 0;
  /// For `closed`: nobody listens (as opposed to: the connection broke).
  bool refused = false;
  std::string detail;
  exit_info how;
};

} // namespace ao::msg
