#include "actors/repository.hpp"

#include "runtime/actor/harden.hpp"
#include "runtime/node/session_dir.hpp"

#include <filesystem>
#include <stdexcept>

namespace ao {
namespace {

using self_pointer = repository_actor::stateful_pointer<repository_state>;

std::string tracking_ref(const std::string& branch) {
  return "refs/remotes/origin/" + branch;
}

/// Keeps what the session had whose worktree this is, under a ref that names
/// its last run.
result<kept_work> keep_work_of(self_pointer self, const session_id& who,
                               const std::filesystem::path& worktree) {
  auto& st = self->state;
  auto last = session_dir{st.context.places(who).directory}.spec();
  if (!last)
    return fail(last.error());
  if (!*last)
    return st.cache->save_rescue(worktree, who, st.context.now());
  return st.cache->park(worktree, who, (*last)->epoch, (*last)->run,
                        st.context.now());
}

/// Makes the branch free for this session, whoever of ours has it: nobody works
/// there any more, as the hub has waited for that. The ref of what was kept.
result<std::string> take_over(self_pointer self,
                              const msg::add_worktree& order) {
  auto& st = self->state;
  std::string ref;
  auto former = st.cache->place_of(order.branch);
  if (!former)
    return fail(former.error());
  auto who = order.session;
  if (!former->empty()) {
    // Any other is a person's, and refused when the worktree is made.
    std::error_code ignored;
    if (!std::filesystem::equivalent(former->parent_path(),
                                     st.context.place->worktrees(), ignored))
      return ref;
    who = session_id{former->filename().string()};
    auto kept = keep_work_of(self, who, *former);
    if (!kept)
      return fail(kept.error());
    ref = kept->ref;
    if (auto ok = st.cache->leave_branch(*former, order.branch); !ok)
      return fail(ok.error());
  }
  if (auto ok = st.cache->follow_origin(order.branch, who, st.context.now());
      !ok)
    return fail(ok.error());
  return ref;
}

result<msg::worktree_made> make(self_pointer self,
                                const msg::add_worktree& order) {
  auto& cache = *self->state.cache;
  msg::worktree_made made;
  std::error_code ignored;
  made.new_worktree = !std::filesystem::exists(order.path, ignored);
  if (order.take_over && made.new_worktree) {
    auto kept = take_over(self, order);
    if (!kept)
      return fail(kept.error());
    made.kept = std::move(*kept);
  }
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
  // Another session has taken it over, and it goes with that one's.
  auto elsewhere = cache.place_of(order.branch);
  if (!elsewhere)
    out.kept = to_string(elsewhere.error());
  if (!elsewhere || !elsewhere->empty())
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
