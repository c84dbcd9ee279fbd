#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/forge.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace ao {

/// State of BASE WATCH.
struct base_watch_state {
  static inline const char* name = "base-watch";
  hub_context context;
  project_id project;

  using verdict = std::function<void(const result<msg::ci_finished>&)>;
  /// Who waits for the checks of a commit of the base.
  std::map<std::string, std::vector<verdict>> asked;
  /// Commits that have passed. What was merged through the queue has.
  std::set<std::string> green;
  bool looking = false;
  /// The base has moved during the last look.
  bool again = false;
  /// The next look is due at some time.
  bool armed = false;
};

/// Tells changes that fail from a base that fails:
///
///   judge_failure --> where does the work begin? --> checks of that commit
///        passed --> the change is to be blamed
///        failed, twice --> ESCALATION: base_red, one incident of the project
///   base moves, or each minute while changes wait --> checks of the base
///        passed --> the incident is over, the changes go on
///
/// Checks of a commit are run once, by the CI RUNNERS, as those of the change
/// `<project>#base`: what has ended is adopted from its directory.
///
/// @param self The actor handle.
/// @param context The hub.
/// @param project Whose base.
base_watch_actor::behavior_type
base_watch(base_watch_actor::stateful_pointer<base_watch_state> self,
           hub_context context, project_id project);

} // namespace ao
