#pragma once

#include <string>

namespace ao {

/// Exit codes of `ao-shim`. How the agent ended is in `exit.<run>.json`, not
/// here.
enum class shim_exit : int {
  /// The run is over and its exit file is written.
  done = 0,
  /// Usage, an unreadable `launch.json`, no socket, no exit file written.
  failed = 1,
  /// This run lives already (its socket answers) or is over (its exit file
  /// exists); nothing was started.
  already_ran = 3,
};

/// The life of `ao-shim <session dir>`: listens on the launch's socket, starts
/// the agent, waits for it, reaps and finally ends everything below it, writes
/// the exit file, tells the peers. One thread, one poll loop.
///
///   launch.json --> listen --> start --> wait --> end the tree
///     --> last lines --> exit.<run>.json --> `exited` to the peers
///
/// A run waits up to 15 s for the shim of the run before it to be gone, so the
/// next pane may be opened as soon as `exited` is heard or the old pane killed.
///
/// A run under the lease of a hub elsewhere also ends, at once, when that is
/// over and the node's process is not there to end it (`lease_watch`).
///
/// Signals to the shim: TERM, INT = order "stop"; HUP = the pane is gone, the
/// tree is ended too. Errors are said on stderr.
shim_exit run_shim(const std::string& session_dir);

} // namespace ao
