#include "runtime/git/names.hpp"
#include "runtime/git/repository.hpp"
#include "runtime/git/repository_parts.hpp"
#include "runtime/git/tree.hpp"

namespace ao {

using namespace repository_parts;

namespace fs = std::filesystem;

result<fs::path> repository_cache::place_of(std::string_view branch) const {
  auto list = worktrees();
  if (!list)
    return fail(list.error());
  for (const auto& entry : *list)
    // One whose directory is gone has nothing checked out.
    if (entry.branch == branch && is_there(entry.path / ".git"))
      return entry.path;
  return fs::path{};
}

result<void> repository_cache::leave_branch(const fs::path& worktree,
                                            std::string_view branch) {
  std::lock_guard exclusive{metadata_};
  auto at = place_of(branch);
  if (!at)
    return fail(at.error());
  std::error_code problem;
  if (fs::weakly_canonical(*at, problem)
      != fs::weakly_canonical(worktree, problem))
    return {};
  auto git = guard(worktree);
  if (!git)
    return fail(git.error());
  auto head = git->commit_of(worktree, "HEAD");
  if (!head)
    return fail(head.error());
  if (!*head)
    return fail(ec::wrong_state,
                worktree.string() + " has no commit on " + one_line(branch));
  // Not by `git checkout`, which writes files and the index.
  auto moved = git->ask(
    {worktree,
     {"update-ref", "--no-deref", "-m", "ao: taken over", "HEAD", **head}});
  return moved ? result<void>{} : fail(moved.error());
}

result<void> repository_cache::follow_origin(std::string_view branch,
                                             const session_id& session,
                                             wall_time now) {
  if (!valid_branch(branch))
    return fail(ec::bad_input, "not a name of a branch: " + one_line(branch));
  std::lock_guard exclusive{metadata_};
  auto at = place_of(branch);
  if (!at)
    return fail(at.error());
  if (!at->empty())
    return fail(ec::wrong_state,
                one_line(branch) + " is checked out in " + at->string());
  auto git = guard();
  if (!git)
    return fail(git.error());
  auto ref = branch_ref(branch);
  auto found = git->commits_of(
    dir_, {ref, "refs/remotes/origin/" + std::string{branch}});
  if (!found)
    return fail(found.error());
  const auto& ours = found->front();
  const auto& theirs = found->back();
  if (!ours || !theirs || *ours == *theirs)
    return {};
  auto loose = git->ask({dir_,
                         {"rev-list", "--max-count=1", *ours, "--not", *theirs,
                          "--glob=refs/ao/*"}});
  if (!loose)
    return fail(loose.error());
  if (!loose->empty()) {
    auto rescue = "refs/ao/rescue/" + session.text + "/" + format_ref_time(now);
    if (!valid_ref(rescue))
      return fail(ec::bad_input, "not a ref: " + one_line(rescue));
    if (auto kept = git->move_ref(dir_, rescue, *ours, zero_oid(), "keep");
        !kept)
      return kept;
  }
  return git->move_ref(dir_, ref, *theirs, *ours, "take over");
}

} // namespace ao
