#pragma once

#include "messages/error.hpp"

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
};

/// What the demo itself does to the system.
enum class deed {
  /// Ends the hub with SIGKILL and starts another one.
  kill_hub,
};

/// A deed, done once, when an event is seen.
struct scene_act {
  /// The kind of the event, e.g. `agent_started`.
  std::string when;
  /// The title of the task it is about.
  std::string task;
  deed what = deed::kill_hub;
  /// The gate that is opened afterwards, where a recipe waits; may be empty.
  std::string opens;
};

/// A whole scenario.
struct scenario {
  /// The project in the demo's configuration.
  std::string project;
  std::vector<scene_task> tasks;
  std::vector<scene_act> acts;
  /// How often what must have been seen, by the name in the report, e.g.
  /// `crashesResumed`. That all tasks are merged is expected anyway.
  std::map<std::string, unsigned> expect;
};

/// Reads a scenario. Errors: `bad_input` (not of this form, a need that is not
/// further up, an unknown deed).
result<scenario> read_scenario(std::string_view text);

} // namespace ao::cli::demo
