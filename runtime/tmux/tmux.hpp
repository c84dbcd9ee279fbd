#pragma once

#include "messages/error.hpp"
#include "messages/time.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// Where one tmux server of ours lives.
struct tmux_place {
  /// Its socket, e.g. `$AO_HOME/run/tmux-0.sock`; beside it lie its
  /// configuration (`.conf`) and the texts on their way (`.paste-*`).
  std::string socket;
  /// The `ao-shim` that runs in every pane.
  std::string shim;
  /// How long one command may take.
  milliseconds deadline{5000};
};

struct pane_size {
  int columns = 160;
  int rows = 50;
};

/// A pane as tmux sees it.
struct tmux_pane {
  std::string session;
  /// `%3`: exact for the life of the server.
  std::string pane;
  /// Name of its window, as given to `new_session`.
  std::string window;
  /// The pane's process: the shim.
  pid_t pid = 0;
  bool dead = false;
  /// When its window last had output, in seconds of the wall clock.
  std::int64_t last_output = 0;
};

/// What a pane shows at one moment, and how its terminal is set.
struct pane_view {
  /// The visible rows, trailing blanks removed.
  std::string screen;
  int cursor_x = 0;
  int cursor_y = 0;
  /// The kernel shows what is typed (ECHO).
  bool echo = false;
  /// The kernel hands out whole lines (ICANON).
  bool line_mode = false;
};

/// One private tmux server: started on demand, never a user's, with a
/// configuration and a clean environment of ours, ended with its last session.
/// Each command is a `tmux` of its own (3 ms). A control connection would take
/// a tenth of that, but tmux 3.3a dies of a segmentation fault, and with it
/// every agent, when the process at its other end is killed while panes are
/// being made. Blocking: used by one detached actor, not thread-safe.
///
/// Errors of all calls: `tmux_failed` with the command and tmux's own words;
/// `timed_out` when the server does not answer (unknown, not dead);
/// `not_reachable` when there is no server, or not what is asked about;
/// `program_missing` without tmux;
/// `bad_input` for names and paths that could mean something else to tmux.
class tmux_server {
public:
  explicit tmux_server(tmux_place place);
  ~tmux_server();
  tmux_server(tmux_server&&) noexcept;
  tmux_server& operator=(tmux_server&&) noexcept;

  const tmux_place& place() const;

  /// Starts a detached session `name` whose one pane runs
  /// `ao-shim <session_dir>` in `cwd`. Starts the server if needed. A session
  /// of that name is an error (look with `has_session` first).
  /// `name` and `window` are of `[A-Za-z0-9_-]`, at most 64 long.
  result<tmux_pane>
  new_session(const std::string& name, const std::string& window,
              const std::string& cwd, const std::string& session_dir,
              pane_size size = {});

  /// False also when no server runs.
  result<bool> has_session(const std::string& name);

  /// All panes of this server; empty when no server runs.
  result<std::vector<tmux_pane>> list_panes();

  /// True if it was there. The shim in it gets SIGHUP and ends its tree.
  result<bool> kill_session(const std::string& name);

  /// The last `lines` rows of the pane, history included, trailing empty rows
  /// removed. `pane` is `%<n>`.
  result<std::string> capture(const std::string& pane, int lines);

  /// The visible screen of the pane with its cursor and terminal modes.
  result<pane_view> look(const std::string& pane);

  /// Pastes `text` byte for byte after leaving copy mode, bracketed if the
  /// program in the pane asked for that. Does not press Enter. The text travels
  /// through a 0600 file, so it is never read as a command of tmux; what its
  /// control characters mean to the program is the caller's business.
  result<void> paste(const std::string& pane, std::string_view text);

  /// Presses Enter, after leaving copy mode.
  result<void> press_enter(const std::string& pane);

  /// Presses one named key: `Enter`, `Escape`, `C-c`, `Up`, `y`, …
  /// (`[A-Za-z0-9-]`, at most 16 long), or types an order to a program, which
  /// is such a word behind a `/`.
  result<void> press(const std::string& pane, const std::string& key);

  /// The pid of the server. Errors: `not_reachable` when none runs.
  result<pid_t> server_pid();

  /// Ends the server and with it every pane; true if one ran.
  result<bool> kill_server();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// Reads the rows that `list_panes` asks for; those that are none are left out.
std::vector<tmux_pane> parse_panes(const std::string& rows);

/// Whether `name` is a session's name that tmux takes as it is.
bool is_tmux_name(std::string_view name);

/// The tmux servers of one home: `run/tmux-<k>.sock`, at most 250 sessions on
/// each (a server redraws and answers in time proportional to its sessions).
class tmux_servers {
public:
  static constexpr std::size_t sessions_per_server = 250;

  /// `run_dir` is `$AO_HOME/run`. Looks for the sockets that are there.
  tmux_servers(std::string run_dir, std::string shim,
               milliseconds deadline = milliseconds{5000});

  /// The panes of all servers, with the index of each one's server.
  struct located_pane {
    std::size_t server = 0;
    tmux_pane pane;
  };

  /// Errors of one server do not hide the others: they are in `errors`. One
  /// that did not answer is not asked again for a while, so that it does not
  /// hold up those who want something of the others; it stays unknown.
  struct inventory {
    std::vector<located_pane> panes;
    std::vector<std::pair<std::size_t, error>> errors;
  };
  inventory list_panes();

  /// The first server with room; counts what `list_panes` and `new_session`
  /// have seen.
  result<std::size_t> server_with_room();

  std::size_t size() const { return servers_.size(); }
  tmux_server& at(std::size_t index) { return servers_.at(index); }

private:
  /// Did not answer.
  struct silence {
    error why;
    std::chrono::steady_clock::time_point until;
  };

  void grow_to(std::size_t count);
  result<std::vector<tmux_pane>> panes_of(std::size_t index);

  std::string run_dir_;
  std::string shim_;
  milliseconds deadline_;
  std::vector<tmux_server> servers_;
  std::map<std::size_t, silence> silent_;
};

} // namespace ao
