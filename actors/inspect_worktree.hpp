#pragma once

#include "actors/job.hpp"
#include "actors/node_context.hpp"
#include "messages/orders.hpp"
#include "runtime/node/worktree.hpp"

#include <caf/result.hpp>

#include <chrono>
#include <filesystem>

namespace ao {

/// Of a look at a worktree, which may have to read many files; less than what a
/// hub waits for its nodes.
constexpr std::chrono::seconds inspection_limit{7};

/// What an UPLINK answers: what the worktree of a session of its node holds
/// now; nothing where there is none. Errors: `no_such_project`, those of git,
/// `timed_out`.
template <class Self>
caf::result<worktree_facts> inspect_here(Self* self,
                                         const msg::inspect_worktree& asked) {
  const node_context& context = self->state.context;
  auto cache = context.cache(asked.project);
  if (!cache)
    return make_error(ec::no_such_project,
                      "this node has no project " + asked.project.text);
  auto promise = self->template make_response_promise<worktree_facts>();
  run_job(
    self, context, inspection_limit,
    [cache,
     path = std::filesystem::path{context.places(asked.session).worktree},
     base = asked.base]() -> result<worktree_facts> {
      std::error_code ignored;
      if (!std::filesystem::exists(path, ignored))
        return worktree_facts{};
      return look_at_worktree(*cache, path, base);
    },
    [promise](const worktree_facts& facts) mutable { promise.deliver(facts); },
    [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

} // namespace ao
