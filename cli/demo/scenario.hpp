#pragma once

#include "messages/error.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// What the demo plays, as data: the sample repository, what the agents do
/// (their recipes) and the scenario are files of `configs/demo/`.
namespace ao::cli::demo {

/// One task of the scenario. Its agent follows the recipe that is named after
/// the title.
struct scene_task {
  std::string title;
  std::string body;
  /// Titles of tasks further up.
  std::vector<std::string> needs;
  /// So many claim it at the same moment; one is granted.
  unsigned claims = 1;
  /// The agent that works on it; empty = the project's.
  std::string agent;
  /// Where it begins; empty = anywhere.
  std::string node;
};

/// What the demo itself does to the system.
enum class deed {
  /// Ends the hub with SIGKILL and starts another one.
  kill_hub,
  /// Has an actor throw; its supervisor starts it again.
  throw_in,
  /// Nothing but opening the gate.
  open_gate,
  /// Cuts a node off: its program stands still, its agents go on.
  cut_node,
  /// Lets a node that was cut off go on.
  return_node,
  /// Kills a node and all that runs there.
  kill_node,
  /// Has a node finish what it has, and take nothing new.
  drain_node,
  /// Has the hub hear a node never again.
  revoke_node,
};

/// A deed, done once, when an event is seen.
struct scene_act {
  /// The kind of the event, e.g. `agent_started`.
  std::string when;
  /// The title of the task it is about; `*` = any.
  std::string task;
  /// It waits for the n-th hub of the play; 0 = any.
  unsigned hub = 0;
  /// It waits for this grant of the task; 0 = any.
  std::uint64_t epoch = 0;
  deed what = deed::kill_hub;
  /// Of `throw_in`: the role of the actor. Which one follows from the event:
  /// `ci-watcher` is that of the event's change. Of deeds to a node: its name.
  std::string in;
  /// It takes so many agents at once. With fewer it is left out, and its gate
  /// stands open from the beginning.
  unsigned parallel = 1;
  /// The gate that is opened afterwards, where a recipe waits; may be empty.
  std::string opens;
};

/// How often something must have been seen.
struct expectation {
  unsigned count = 0;
  /// Only when so many agents may work at once.
  unsigned parallel = 1;
};

/// A whole scenario.
struct scenario {
  /// The project in the demo's configuration.
  std::string project;
  std::vector<scene_task> tasks;
  std::vector<scene_act> acts;
  /// What must have been seen, by the name in the report, e.g.
  /// `crashesResumed`. That all tasks are merged is expected anyway.
  std::map<std::string, expectation> expect;
};

/// Reads a scenario. Errors: `bad_input` (not of this form, a need that is not
/// further up, an unknown deed).
result<scenario> read_scenario(std::string_view text);

/// The scenario as it is played with so many agents at once: acts and
/// expectations that take more are gone; the gates of such acts are returned.
std::vector<std::string> fit_to(scenario& what, unsigned parallel);

} // namespace ao::cli::demo
