#include "runtime/node/worktree.hpp"

namespace ao {

result<worktree_facts> look_at_worktree(const repository_cache& cache,
                                        const std::filesystem::path& worktree,
                                        const std::string& base) {
  worktree_facts facts;
  auto state = cache.inspect(worktree);
  if (!state)
    return fail(state.error());
  facts.head_sha = state->head;
  facts.dirty = state->dirty || !state->operation.empty();
  facts.changed = state->changed;
  std::size_t at = 0;
  while (at < state->status_text.size()) {
    auto end = state->status_text.find('\n', at);
    if (end == std::string::npos)
      end = state->status_text.size();
    facts.status_lines.push_back(state->status_text.substr(at, end - at));
    at = end + 1;
  }
  auto ahead = cache.ahead_of(worktree, "refs/remotes/origin/" + base);
  if (!ahead)
    return fail(ahead.error());
  facts.ahead = *ahead;
  return facts;
}

} // namespace ao
