#pragma once

#include "messages/change.hpp"
#include "messages/error.hpp"
#include "messages/ids.hpp"
#include "messages/settings.hpp"
#include "messages/time.hpp"
#include "runtime/git/git.hpp"
#include "runtime/git/hook.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ao {

/// How the base of the forge stands to the branch of the user's checkout.
struct base_sync {
  enum class state {
    /// Both are at the same commit.
    same,
    /// The forge was behind and has been brought forward.
    advanced,
    /// The forge has more: merges that the user has not pulled yet.
    ahead,
    /// Both have commits that the other has not; nothing was moved.
    diverged,
  };
  state what = state::same;
  /// The base in the forge, after the call.
  std::string ours;
  /// The branch in the checkout.
  std::string theirs;
};

/// One file of a difference.
struct file_change {
  std::string path;
  /// Zero for binary files.
  std::uint64_t added = 0;
  std::uint64_t removed = 0;
  bool binary = false;
};

/// What `head` changes, seen from where it left `base`.
struct diff_stat {
  std::vector<file_change> files;
  std::uint64_t added = 0;
  std::uint64_t removed = 0;
};

/// Whose name a merge bears, and when it was decided: the same question gives
/// the same commit, so that a merge can be repeated after a crash.
struct merge_author {
  git_person person;
  wall_time at;
};

/// A merge that has been computed but not published.
struct merged {
  std::string commit;
  std::string tree;
  /// What was tested on the head holds for the result.
  bool same_tree_as_head = false;
  /// The result has the tree of the base: the change adds nothing.
  bool empty = false;
};

/// The embedded forge of one project, `forge/<project>.git`: a bare
/// repository that agents push to and that only the merge queue advances.
/// Reads the user's checkout and never writes to it. Each step may be
/// repeated. Blocking; may be used from several threads.
class local_forge {
public:
  /// @param git How git is run.
  /// @param dir The bare repository, made by `seed`.
  /// @param base The branch that changes are merged into, short.
  /// @param hooks What `pre-receive` and `post-receive` start.
  local_forge(git_runner git, std::filesystem::path dir, std::string base,
              hook_target hooks);

  const std::filesystem::path& dir() const { return dir_; }
  const std::string& base() const { return base_; }

  /// Makes the repository from the committed heads and tags of `checkout`,
  /// or completes a half-made one; refreshes configuration and hooks. Errors:
  /// `no_repository` (no git repository, or the base has no commit there),
  /// `bad_input` (name of the base).
  result<void> seed(const std::filesystem::path& checkout);

  /// Brings the base forward to the checkout's branch where that loses
  /// nothing.
  result<base_sync> sync_base(const std::filesystem::path& checkout);

  // -- reading ---------------------------------------------------------------

  /// The commit of a branch, none when there is no such branch.
  result<std::optional<std::string>> head_of(std::string_view branch) const;

  /// The commits of all branches.
  result<std::map<std::string, std::string>> heads() const;

  /// Whether `ancestor` is `descendant` or reachable from it.
  result<bool> contains(std::string_view ancestor,
                        std::string_view descendant) const;

  /// The commit at which `head` left `base` (object names); `base` itself when
  /// they have none in common.
  result<std::string> merge_base(std::string_view base,
                                 std::string_view head) const;

  /// Number of commits of `head` that `base` does not have.
  result<std::size_t> ahead(std::string_view base, std::string_view head) const;

  result<diff_stat> diffstat(std::string_view base,
                             std::string_view head) const;

  /// The lines that `head` changes, for the search for duplicates.
  result<std::vector<hunk>> changed_hunks(std::string_view base,
                                          std::string_view head) const;

  /// The commit on `branch` that merged `change`, if it is among the last 2000:
  /// whoever comes back from a crash looks here first. By the log of the
  /// branch, which `advance` writes; after a power cut that may lack its end,
  /// and the commits of squash and merge say it, too.
  result<std::optional<std::string>> find_merge(std::string_view branch,
                                                const change_id& change) const;

  // -- CI --------------------------------------------------------------------

  /// Fills `dir` with the files of `sha` as a repository of its own, head
  /// detached, without remotes, hooks or filters. What an earlier call left
  /// in `dir` is removed first; anything else there is `wrong_state`.
  result<void> clean_checkout(std::string_view sha,
                              const std::filesystem::path& dir,
                              milliseconds limit = milliseconds{600'000}) const;

  // -- merging ---------------------------------------------------------------

  /// Computes the merge of `head` into `base` (object names); moves no ref.
  /// The message is used by squash and merge; rebase keeps those of the
  /// commits. Errors: `merge_conflict` with one detail `file` per name.
  result<merged> merge_result(std::string_view base, std::string_view head,
                              merge_method method, std::string_view message,
                              const merge_author& author) const;

  /// Moves a branch to where `change` is merged, by compare-and-swap; at
  /// `target` already: done. Errors: `ref_moved` with the detail `actual`.
  result<void> advance(std::string_view branch, std::string_view target,
                       std::string_view expected_old, const change_id& change);

  /// Deletes a branch that is where it is expected; none there: done. The
  /// base is never deleted (`bad_input`). Errors: `ref_moved`.
  result<void> delete_branch(std::string_view branch,
                             std::string_view expected_old);

  // -- publishing ------------------------------------------------------------

  /// Pushes the base to `remote` of the checkout, as the person would, without
  /// force; what is pushed. Errors: `bad_input` (no such remote), `git_failed`
  /// (refused, or not reachable).
  result<std::string> publish(const std::filesystem::path& checkout,
                              const std::string& remote) const;

private:
  result<void> configure();
  result<std::optional<std::string>> find_move(std::string_view branch,
                                               std::string_view head,
                                               const change_id& change) const;
  result<std::string> merge_trees(std::string_view ours,
                                  std::string_view theirs) const;
  result<std::string> commit_tree(
    std::string_view tree, const std::vector<std::string>& parents,
    std::string_view message,
    const std::vector<std::pair<std::string, std::string>>& who) const;
  result<std::string> diff(std::string_view base, std::string_view head,
                           std::vector<std::string> how) const;
  result<std::string> pick(std::string_view commit, std::string_view onto,
                           const merge_author& committer) const;
  result<std::string> replay(std::string_view base, std::string_view head,
                             const merge_author& committer) const;
  result<std::string> tree_of(std::string_view commit) const;

  git_runner git_;
  std::filesystem::path dir_;
  std::string base_;
  hook_target hooks_;

  /// Held while seeding and while following the checkout.
  std::mutex writing_;
};

} // namespace ao
