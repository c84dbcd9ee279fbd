#pragma once

#include "messages/error.hpp"
#include "messages/time.hpp"
#include "runtime/home/home.hpp"

#include <sys/types.h>

#include <string>
#include <vector>

/// The hub as a process: started, waited for, ended.
namespace ao::cli {

/// Waits until something is made, moved or removed in `directory`, at most
/// `allowed`; whoever waits for a socket looks again then.
class directory_watch {
public:
  explicit directory_watch(const std::string& directory);
  ~directory_watch();
  directory_watch(const directory_watch&) = delete;
  directory_watch& operator=(const directory_watch&) = delete;

  void wait(milliseconds allowed) const;

private:
  int fd_;
};

/// A started hub and the reading end of its readiness pipe.
struct started_hub {
  pid_t pid = 0;
  int ready = -1;
};

/// Starts `<program_dir>/ao-hub` in its own session, standard output and
/// error appended to the log. Errors: `program_missing`, `process_failed`.
result<started_hub> start_hub(const home& where, const std::string& program_dir,
                              const std::vector<std::string>& arguments);

/// The readiness line; empty at end of file. Errors: `timed_out`.
result<std::string> read_readiness(int fd, milliseconds allowed);

/// Waits until a hub that has said that it cannot start has ended, and with it
/// its hold on the home; at most `allowed`.
void await_end(const started_hub& hub, milliseconds allowed);

/// The last lines of the hub's log, for a message.
std::string last_log_lines(const home& where);

/// Sends TERM to whoever holds the lock, unless `signalled` says that it has
/// been asked already, and waits until that process has ended. Errors:
/// `timed_out`, `process_failed`.
result<void> end_hub(const home& where, pid_t holder, bool signalled,
                     milliseconds allowed);

} // namespace ao::cli
