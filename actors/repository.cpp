#include "actors/repository.hpp"

#include "runtime/actor/harden.hpp"

#include <filesystem>
#include <stdexcept>

namespace ao {
namespace {

using self_pointer = repository_actor::stateful_pointer<repository_state>;

std::string tracking_ref(const std::string& branch) {
  return "refs/remotes/origin/" + branch;
}

result<msg::worktree_made> make(self_pointer self,
                                const msg::add_worktree& order) {
  auto& cache = *self->state.cache;
  msg::worktree_made made;
  std::error_code ignored;
  made.new_worktree = !std::filesystem::exists(order.path, ignored);
  worktree_spec spec;
  spec.session = order.session;
  spec.branch = order.branch;
  spec.base = order.head.empty() ? tracking_ref(order.base) : order.head;
  spec.path = order.path;
  if (auto ok = cache.add_worktree(spec); !ok)
    return fail(ok.error());
  made.new_branch = made.new_worktree;
  return made;
}

/// Saves what no ref holds, then removes; keeps everything when saving fails.
result<msg::worktree_dropped> drop(self_pointer self,
                                   const msg::drop_worktree& order) {
  auto& cache = *self->state.cache;
  msg::worktree_dropped out;
  std::error_code ignored;
  bool saved = order.discard;
  if (!order.undo && !saved && std::filesystem::exists(order.path, ignored)) {
    auto state = cache.inspect(order.path);
    if (!state) {
      out.kept = to_string(state.error());
      return out;
    }
    if (state->dirty || !state->operation.empty()) {
      auto kept = cache.save_rescue(order.path, order.session,
                                    self->state.context.now());
      if (!kept) {
        out.kept = to_string(kept.error());
        return out;
      }
      out.rescued.push_back(kept->ref);
      saved = true;
    }
  }
  if (auto ok = cache.remove_worktree(order.path, saved); !ok) {
    out.kept = to_string(ok.error());
    return out;
  }
  if (order.keep_branch || order.branch.empty())
    return out;
  if (auto ok = cache.delete_branch(order.branch, tracking_ref(order.base),
                                    order.merged);
      !ok)
    out.kept = to_string(ok.error());
  return out;
}

template <class T>
caf::result<T> answer(result<T> got) {
  if (got)
    return std::move(*got);
  return make_error(got.error());
}

} // namespace

repository_actor::behavior_type
repository(self_pointer self, node_context context, project_id project) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  st.project = std::move(project);
  st.cache = st.context.cache(st.project);
  if (!st.cache)
    throw std::runtime_error("no project " + st.project.text);
  if (auto ok = st.cache->init(); !ok)
    throw std::runtime_error(to_string(ok.error()));
  return {
    [self](const msg::add_worktree& order) -> caf::result<msg::worktree_made> {
      return answer(make(self, order));
    },
    [self](
      const msg::drop_worktree& order) -> caf::result<msg::worktree_dropped> {
      return answer(drop(self, order));
    },
  };
}

} // namespace ao
