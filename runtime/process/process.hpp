#pragma once

#include "messages/error.hpp"
#include "messages/time.hpp"
#include "runtime/io/fd.hpp"

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ao {

class io_loop;

/// Where a child's standard input comes from.
struct child_input {
  enum class kind { null, bytes, file, descriptor };
  kind what = kind::null;
  /// The bytes, or the path of the file.
  std::string text = {};
  /// A descriptor of the caller's (a tty, a socket); stays the caller's.
  int descriptor = -1;

  static child_input null() { return {}; }
  /// Only `run` can feed bytes.
  static child_input bytes(std::string b) {
    return {kind::bytes, std::move(b), -1};
  }
  static child_input file(std::string path) {
    return {kind::file, std::move(path), -1};
  }
  static child_input of(int fd) { return {kind::descriptor, {}, fd}; }
};

/// Where a child's output goes.
struct child_output {
  enum class kind { null, capture, file, inherit, descriptor, as_stdout };
  kind what = kind::null;
  /// The file's path; made 0600, appended to.
  std::string path = {};
  /// Most bytes kept of a capture; the rest is read and dropped.
  std::size_t cap = 0;
  int descriptor = -1;

  static child_output null() { return {}; }
  static child_output capture(std::size_t cap = 16u << 20) {
    return {kind::capture, {}, cap, -1};
  }
  static child_output file(std::string path) {
    return {kind::file, std::move(path), 0, -1};
  }
  static child_output inherit() { return {kind::inherit, {}, 0, -1}; }
  static child_output of(int fd) { return {kind::descriptor, {}, 0, fd}; }
  /// For stderr: the same place as stdout, in the order written.
  static child_output as_stdout() { return {kind::as_stdout, {}, 0, -1}; }
};

/// Everything about a child; nothing is inherited that is not named here
/// (descriptors, signal mask and dispositions, environment).
struct process_spec {
  /// Program and arguments. A program without a slash is looked up in the
  /// `PATH` of `env`. Never passes through a shell.
  std::vector<std::string> argv;
  /// The complete environment as `KEY=value`.
  std::vector<std::string> env;
  /// Working directory; empty = the caller's.
  std::string cwd = {};
  child_input in = {};
  child_output out = child_output::capture();
  child_output err = child_output::capture();

  enum class grouping { same, own_group, own_session };
  /// `run` needs (and enforces) at least a group of its own.
  grouping group = grouping::own_group;
  /// A tty whose foreground group the child's new group becomes; -1 = none.
  int foreground_of = -1;
};

/// How a process ended: exactly one of the two is set.
struct exit_status {
  std::optional<int> code;
  std::optional<int> signal;

  bool ok() const { return code == 0; }
};

/// `exited 3`, `killed by SIGTERM`.
std::string to_string(const exit_status& status);

/// `SIGTERM` for 15; `signal 42` for those without a name.
std::string signal_name(int signal);

/// A started child. Destroying it closes the descriptors and neither ends nor
/// reaps the process.
struct child {
  pid_t pid = -1;
  /// Readable when the process has ended; never names another process.
  unique_fd pidfd;
  /// Write end of stdin when it was `bytes`; blocking.
  unique_fd in;
  /// Read ends of what is captured; blocking.
  unique_fd out;
  unique_fd err;
};

/// Starts a child by posix_spawn (vfork inside: its cost does not grow with
/// our memory or threads). Errors: `bad_input` (empty argv, a NUL inside),
/// `program_missing`, `process_failed` (no such directory, not executable, …);
/// the context names the program.
result<child> spawn(const process_spec& spec);

/// What `run` brings back.
struct finished {
  exit_status status;
  std::string out;
  std::string err;
  /// Whether a cap cut `out` or `err`.
  bool truncated = false;

  bool ok() const { return status.ok(); }
};

/// Starts a child, feeds and drains it and waits for its end, at most for
/// `deadline`. A non-zero exit is a result, not an error. What the child
/// leaves in the background is not waited for. At the deadline the child's
/// whole process group gets TERM, after two seconds KILL, and the answer is
/// `timed_out` with the program and the end of its stderr. Other errors: those
/// of `spawn`.
/// Blocks; never call it from a pooled actor or the io loop.
result<finished> run(process_spec spec, milliseconds deadline);

/// For the end of this program: whatever `run` waits for, now and later, gets
/// TERM as at its deadline, and the answer is `shutting_down`. Callable from
/// any thread; cannot be taken back.
void end_all_runs();

/// Reaps an own child that is known to have ended, or waits for it.
/// Errors: `process_failed` (not a child of ours).
result<exit_status> reap(int pidfd);

/// A pidfd for `pid`. Errors: `process_failed`; `no process` when gone.
result<unique_fd> open_pidfd(pid_t pid);

/// Sends a signal to exactly this process; a process that has ended already is
/// no error. Errors: `process_failed`.
result<void> send_signal(int pidfd, int signal);

/// Waits until the process has ended. True if it has, false at the deadline.
bool wait_ended(int pidfd, milliseconds deadline);

/// Calls `on_end` once on the loop's thread when the process has ended. For an
/// own child it is reaped and its status passed; for another's the status is
/// unknown (nullopt).
void watch(io_loop& loop, unique_fd pidfd,
           std::function<void(std::optional<exit_status>)> on_end);

} // namespace ao
