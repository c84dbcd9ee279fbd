#pragma once

#include "actors/hub_context.hpp"
#include "runtime/agents/launch.hpp"
#include "runtime/agents/transcript_reader.hpp"
#include "runtime/git/repository.hpp"
#include "runtime/process/cpu_times.hpp"
#include "runtime/process/environment.hpp"

#include <map>
#include <memory>

namespace ao {

/// What the actors of one node share. The embedded node and a remote one
/// differ in where the orders come from, not in this.
struct node_context : hub_context {
  node_name node{"local"};

  /// One cache per project, shared by its REPOSITORY and the runners' jobs:
  /// the cache itself keeps metadata steps apart.
  std::shared_ptr<const std::map<project_id, std::shared_ptr<repository_cache>>>
    caches;

  /// What agents inherit of the hub's environment.
  std::shared_ptr<const environment> inherited
    = std::make_shared<const environment>();

  /// Processor time of the runs; the TMUX looks anew before it tells of a
  /// pane's activity.
  std::shared_ptr<cpu_times> spent = std::make_shared<cpu_times>();

  /// Follows what the agent programs write about their conversations; null =
  /// nobody does.
  std::shared_ptr<transcript_reader> transcripts;

  std::shared_ptr<repository_cache> cache(const project_id& id) const {
    auto i = caches->find(id);
    return i == caches->end() ? nullptr : i->second;
  }

  session_places places(const session_id& id) const {
    return {place->sessions() + "/" + id.text,
            place->worktrees() + "/" + id.text, place->agent_socket(), programs,
            node == node_name{"local"} ? std::string{} : place->root()};
  }
};

} // namespace ao
