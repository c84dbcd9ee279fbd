#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/forge.hpp"
#include "runtime/forge/local.hpp"
#include "runtime/rules/overlap.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace ao {

/// State of OVERLAPS.
struct overlaps_state {
  static inline const char* name = "overlaps";
  hub_context context;
  project_id project;
  std::optional<local_forge> git;

  /// What each live session changes.
  std::map<session_id, line_ranges> work;
  /// By file, the sessions of `work` that change it.
  std::map<std::string, std::set<session_id>> by_file;

  /// Sessions from before this start whose branches are not read yet.
  std::vector<session_id> unread;
};

/// Finds live sessions of one project that change the same lines. What is
/// pushed is read again from the forge's branches at a start, what is not is
/// told again by the runners; the REGISTRY knows which pairs it has suspected.
///
///   pushed ---> hunks of the branch ---+--> those that share a file
///   a RUNNER's look --> its worktree --+    --rule: enough--> REGISTRY
///                                           suspects the later task
///
/// @param self The actor handle; detached, as git blocks.
/// @param context The hub.
/// @param project Whose sessions.
overlaps_actor::behavior_type
overlaps(overlaps_actor::stateful_pointer<overlaps_state> self,
         hub_context context, project_id project);

} // namespace ao
