#pragma once

#include "messages/error.hpp"
#include "messages/ids.hpp"
#include "messages/protocol.hpp"
#include "messages/time.hpp"
#include "runtime/process/tree_limits.hpp"

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// Where the agent's standard input comes from.
enum class shim_stdin { null, tty, file };

/// Where the agent's output goes: the pane, or a file with a cap (CI).
enum class shim_output { tty, file };

/// `launch.json`: everything `ao-shim` needs to start one run of an agent.
struct launch_spec {
  std::uint32_t protocol = launch_protocol;
  session_id session;
  epoch_no epoch = 0;
  run_no run = 1;
  std::vector<std::string> argv;
  /// The complete environment; the shim adds `AO_MARK`, and the pane's `TERM`
  /// when the agent runs on its tty. Not `TMUX`: an agent's `tmux kill-server`
  /// must not reach our server.
  std::map<std::string, std::string> env;
  std::string cwd;
  /// Of the agent and all that it starts.
  tree_limits limits;
  /// Of a node of a hub elsewhere: its home, whose `lease.json` limits the run
  /// when the node's process is dead; empty = no lease.
  std::string node_home;
  /// Whose limit that is.
  std::string project;
  /// The Unix socket the shim listens on.
  std::string socket;
  /// Nonce that marks everything the agent starts (`AO_MARK`).
  std::string mark;
  /// The boot of the host that the run belongs to (`boot_mark`); empty in
  /// files of an older ao.
  std::string boot;
  shim_stdin in = shim_stdin::tty;
  /// With `shim_stdin::file`.
  std::string in_path;
  shim_output out = shim_output::tty;
  /// With `shim_output::file`; stdout and stderr in the order written.
  std::string out_path;
  /// Bytes kept of the output; the rest is drained and counted.
  std::uint64_t out_cap = 16u << 20;
  /// How long the agent may run; 0 = without end.
  milliseconds timeout{0};
  /// Between TERM and KILL when the shim ends the tree by itself.
  milliseconds grace{5000};
  /// Rows of the pane kept in the exit file.
  std::uint32_t capture_lines = 100;

  friend bool operator==(const launch_spec& a, const launch_spec& b);
};

/// Why a run is over.
enum class exit_cause {
  /// The agent ended by itself.
  exited,
  /// A signal from elsewhere ended it.
  signalled,
  /// We were told to end it (order of a peer, or SIGTERM/SIGINT to the shim).
  stopped,
  /// `timeout` passed.
  timed_out,
  /// The pane went away (SIGHUP: tmux server dead, session killed).
  hangup,
  /// The agent could not be started; `detail` says why.
  start_failed,
};

std::string_view to_string(exit_cause cause);

/// Errors: `bad_input`.
result<exit_cause> parse_exit_cause(std::string_view word);

/// `exit.<run>.json`, and the `exited` event on the socket.
struct exit_report {
  session_id session;
  epoch_no epoch = 0;
  run_no run = 0;
  /// The agent's pid; 0 if it never started.
  pid_t pid = 0;
  std::optional<int> code;
  std::optional<int> signal;
  exit_cause cause = exit_cause::exited;
  wall_time at{};
  /// The pane's last rows, or the last lines of the output file.
  std::vector<std::string> last_lines;
  /// For `start_failed`: what failed. Otherwise empty or a remark.
  std::string detail;
  /// Bytes that were typed into the pane and not read by the agent.
  std::uint64_t unread = 0;
  /// Whether `out_cap` cut the output.
  bool output_truncated = false;
  /// The kernel's word that it has killed the agent, or one that the agent has
  /// started, for want of memory.
  bool out_of_memory = false;

  friend bool operator==(const exit_report& a, const exit_report& b);
};

/// Whether the agent lives.
enum class shim_state { starting, running, stopping, exited };

/// The first line a shim says to each peer.
struct shim_hello {
  std::uint32_t protocol = shim_protocol;
  session_id session;
  epoch_no epoch = 0;
  run_no run = 0;
  /// The agent's pid; 0 while it has none.
  pid_t pid = 0;
  pid_t shim_pid = 0;
  shim_state state = shim_state::starting;

  friend bool operator==(const shim_hello& a, const shim_hello& b);
};

/// What a peer may say: `{"order":"stop","graceMs":5000}`, `{"order":"kill"}`.
struct shim_order {
  enum class kind { stop, kill };
  kind what = kind::stop;
  /// Between TERM and KILL of a stop.
  milliseconds grace{5000};
};

/// JSON on one line. Reading: `protocol_mismatch` for another version,
/// `bad_input` for what is not ours; the context names the field.
std::string to_json(const launch_spec& launch);
std::string to_json(const exit_report& report);
std::string to_json(const shim_hello& hello);
std::string to_json(const shim_order& order);
/// The `exited` event: the exit file's members plus `"event":"exited"`.
std::string exited_event(const exit_report& report);
result<launch_spec> parse_launch(std::string_view json);
result<exit_report> parse_exit(std::string_view json);
result<shim_hello> parse_hello(std::string_view json);
result<shim_order> parse_order(std::string_view json);

/// Longest line either side accepts; a peer that sends more is dropped.
constexpr std::size_t shim_line_limit = 4u << 20;

/// `<dir>/launch.json`, `<dir>/exit.<run>.json`, `<dir>/pane.<run>.txt`.
std::string launch_path(const std::string& dir);
std::string exit_path(const std::string& dir, run_no run);
std::string pane_path(const std::string& dir, run_no run);
/// Locked by a shim while it lives; its text is the run that the last one took.
std::string lock_path(const std::string& dir);

/// Whether a shim has ever taken `run`: false also when it died before it
/// could note that.
bool was_taken(const std::string& dir, run_no run);

/// Writes `<dir>/launch.json`, 0600, durably.
/// Errors: `home_unusable` naming the file.
result<void> write_launch(const std::string& dir, const launch_spec& launch);

/// Errors: as `parse_launch`, naming the file; `process_failed` if unreadable.
result<launch_spec> read_launch(const std::string& dir);

/// The end of `run`; nullopt when there is no such file (yet).
/// Errors: as `parse_exit`, naming the file; `process_failed` if unreadable.
result<std::optional<exit_report>> read_exit(const std::string& dir,
                                             run_no run);

} // namespace ao
