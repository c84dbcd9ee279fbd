#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/forge.hpp"
#include "runtime/forge/local.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/shim/link.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ao {

/// State of the CI RUNNERS.
struct ci_runners_state {
  static inline const char* name = "ci-runners";
  hub_context context;
  project_id project;
  environment inherited;
  std::optional<local_forge> git;

  /// One run of the CI command, keyed by (change, SHA).
  struct run {
    msg::run_ci order;
    std::string directory;
    wall_time started_at{};
    std::unique_ptr<shim_link> link;
    std::vector<caf::typed_response_promise<msg::ci_finished>> askers;
    /// Nobody wants its verdict any more.
    bool cancelled = false;
  };

  /// Key and run; those that wait for a core are in `queue`, in order.
  std::map<std::string, run> runs;
  std::deque<std::string> queue;
  std::size_t running = 0;
  std::size_t limit = 2;
};

/// Runs CI commands, each under a shim of its own, in a clean checkout:
///
///   run_ci --known--> the same answer
///          --new----> queue --core free--> checkout --> shim --> exit file
///   cancel_ci: out of the queue, or the shim ends its tree
///
/// The shim outlives the hub: a run that lives or has ended is adopted by its
/// directory `ci/<change>/<sha12>`.
///
/// @param self The actor handle.
/// @param context The hub.
/// @param project Whose command.
/// @param inherited What the command sees of our environment.
ci_runners_actor::behavior_type
ci_runners(ci_runners_actor::stateful_pointer<ci_runners_state> self,
           hub_context context, project_id project, environment inherited);

} // namespace ao
