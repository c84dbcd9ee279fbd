#pragma once

#include "actors/hub_context.hpp"
#include "runtime/agents/launch.hpp"
#include "runtime/git/repository.hpp"
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
  environment inherited;

  std::shared_ptr<repository_cache> cache(const project_id& id) const {
    auto i = caches->find(id);
    return i == caches->end() ? nullptr : i->second;
  }

  session_places places(const session_id& id) const {
    return {place->sessions() + "/" + id.text,
            place->worktrees() + "/" + id.text, place->agent_socket(),
            programs};
  }
};

} // namespace ao
