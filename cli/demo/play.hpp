#pragma once

#include "cli/demo/nodes.hpp"
#include "cli/demo/person.hpp"
#include "cli/demo/progress.hpp"
#include "cli/demo/scenario.hpp"
#include "cli/demo/stage.hpp"
#include "cli/demo/tally.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ao::cli::demo {

/// SIGINT, SIGTERM and SIGHUP as something to be read: from the first moment
/// to the last they only end the play, never the process, so that the stage
/// is always cleared.
class interrupts {
public:
  /// Blocks them for the process; to be made before any thread.
  interrupts();
  ~interrupts();
  interrupts(const interrupts&) = delete;
  interrupts& operator=(const interrupts&) = delete;

  /// Readable when one has come.
  int fd() const { return fd_.get(); }

  /// The first that has come so far; 0 = none.
  int caught();

private:
  unique_fd fd_;
  int first_ = 0;
};

/// The nodes of a play.
struct cast {
  nodes& workers;
  /// `n1`, …
  std::vector<std::string> names;
  /// Where they join.
  std::uint16_t door = 0;
};

/// What was seen while playing.
struct seen {
  tally events;
  /// Claims refused to others while one was granted.
  unsigned refused_duplicates = 0;
  /// Hubs that were killed and came back.
  unsigned hub_kills = 0;
  /// Incidents whose question has come to the gateway, was answered with what
  /// it said, and whose end has come there.
  unsigned notified = 0;
  /// Nodes of the play, and what was done to them.
  unsigned nodes = 0;
  unsigned nodes_cut = 0;
  unsigned nodes_killed = 0;
  unsigned nodes_drained = 0;
  /// Roles of the actors that were made to throw.
  std::vector<std::string> faults;
  /// What went otherwise than it should.
  std::vector<std::string> problems;
};

/// Plays a scenario on a furnished stage: starts the hub, adds and claims the
/// tasks, does the deeds, follows the events until every task has ended and
/// `reader` waits for nothing, a signal comes or `allowed` has passed (the time
/// that is taken to answer at the terminal does not count). Uses nothing but
/// the command line. Leaves the hub running.
/// @param crew The nodes that join first, by those names; none where the play
/// has none.
seen play(const scenario& what, stage& where, const cast& crew, progress& view,
          person& reader, interrupts& signals, milliseconds allowed);

} // namespace ao::cli::demo
