#pragma once

#include "messages/error.hpp"
#include "messages/time.hpp"
#include "runtime/home/home.hpp"

#include <sys/types.h>

#include <string>
#include <vector>

/// Who lives in a home: hub, agents, checks, tmux servers and all below them;
/// and in the homes of nodes in it.
namespace ao::cli::demo {

/// A process of a home.
struct resident {
  pid_t pid = 0;
  /// Its command line, shortened.
  std::string command;
};

/// The processes of this user that began after this one and belong to the
/// home: an `AO_` variable of theirs names a file in it, or they carry the
/// mark of one of its agents or checks, or they are programs of ours or tmux
/// with an argument in it, or stand below such a one. Errors:
/// `process_failed`.
result<std::vector<resident>> residents_of(const home& where);

/// The tmux sessions in the home's servers, the hub's own one included; each
/// agent's is called like its session. Errors: those of starting tmux.
result<std::vector<std::string>> panes_of(const home& where);

/// Ends every resident: TERM, `grace`, KILL, until nobody is left. Errors:
/// `timed_out` naming who survives.
result<void> end_residents(const home& where, milliseconds grace);

} // namespace ao::cli::demo
