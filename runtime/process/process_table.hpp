#pragma once

#include "messages/error.hpp"
#include "messages/time.hpp"
#include "runtime/io/fd.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// One line of the kernel's process table.
struct process_entry {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  uid_t uid = 0;
  /// `R S D T t Z X …`; `Z` has ended and only waits to be reaped.
  char state = '?';
  /// Clock ticks since boot; with the pid it names one process for good.
  std::uint64_t start_time = 0;
  /// Clock ticks spent by it and its reaped children.
  std::uint64_t cpu_time = 0;

  bool ended() const { return state == 'Z' || state == 'X'; }
};

/// The entry of one process, nullopt when it is gone.
std::optional<process_entry> process_of(pid_t pid);

/// Every process visible in /proc. Errors: `process_failed` (no /proc).
result<std::vector<process_entry>> all_processes();

/// Names this boot of the host, or of the container: the kernel's boot id and
/// the start of the first process. Nothing that ran under another one lives.
std::string boot_mark();

/// The value of `name` in the environment a process was started with; nullopt
/// when it has none, is gone or is not ours to read.
std::optional<std::string> environ_value(pid_t pid, std::string_view name);

/// The variable that marks everything an agent starts.
constexpr std::string_view mark_variable = "AO_MARK";

/// The processes of this user that have not ended and carry exactly
/// `AO_MARK=<mark>`, or stand below one that does, or below `below` (itself
/// not included; 0 = none). Never the calling process. An empty mark matches
/// nobody. Double-forked, setsid and nohup children are found: the mark is in
/// the environment they were started with.
/// Errors: `process_failed`.
result<std::vector<process_entry>> find_marked(std::string_view mark,
                                               pid_t below = 0);

/// Sends `signal` once to everything that `find_marked` names; all are stopped
/// first and go on afterwards, so that none forks away meanwhile. The answer
/// is a pidfd for each: empty means that nobody is left. For a poll loop that
/// waits by itself; others call `end_marked`. Errors: `process_failed`.
result<std::vector<unique_fd>> signal_marked(std::string_view mark, int signal,
                                             pid_t below = 0);

/// What `end_marked` did.
struct end_report {
  /// Processes that got a signal.
  std::size_t signalled = 0;
  /// Of these, how many needed KILL.
  std::size_t killed = 0;
};

/// Ends everything that carries the mark or stands below `below`: TERM, up to
/// `grace` for all to go, KILL, then looks again until nobody is left (a
/// process may fork while we look). Blocks up to `grace` plus ten seconds.
/// Errors: `timed_out` naming the pids that survive (e.g. in state D).
result<end_report> end_marked(std::string_view mark, milliseconds grace,
                              pid_t below = 0);

} // namespace ao
