#pragma once

#include "messages/change.hpp"
#include "messages/error.hpp"
#include "messages/ids.hpp"
#include "messages/time.hpp"
#include "runtime/git/git.hpp"

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// A worktree that a session wants.
struct worktree_spec {
  session_id session;

  /// The session's branch, short; empty = the head is detached.
  std::string branch;

  /// Where a new branch begins or the detached head is: a full ref or an
  /// object name, e.g. `refs/remotes/origin/main`. Need not exist when the
  /// branch does; one that only origin has goes on from there.
  std::string base;

  std::filesystem::path path;

  /// Directory of the hooks that run in the worktree (`pre-push`).
  std::filesystem::path hooks;

  /// Value of `credential.helper`; empty = none at all.
  std::string credential_helper = {};
};

/// What a worktree holds at present.
struct worktree_state {
  /// The commit that is checked out; empty before the first one.
  std::string head;

  /// Short; empty when the head is detached.
  std::string branch;

  /// Changed or untracked files (not: ignored ones), and how many.
  bool dirty = false;
  std::size_t changed = 0;

  /// An unfinished `merge`, `rebase`, `cherry-pick`, `revert` or `bisect`;
  /// else empty.
  std::string operation;

  /// `git status --short`, names quoted as git quotes them, at most 20 lines
  /// and a last one that counts the rest.
  std::string status_text;
};

/// A commit that keeps work.
struct kept_work {
  std::string ref;
  std::string sha;

  /// Whether the commit holds files that no commit held before; else it is
  /// the head itself.
  bool new_commit = false;
};

/// The repository behind the worktrees of one project on one node,
/// `repos/<project>.git`.
///
/// Steps that touch shared metadata (worktree list, refs, fetch) exclude each
/// other, because git's own do not (`git worktree add` races itself);
/// checkouts, commits, status and pushes run beside them. Each step may be
/// repeated: what is true already is left alone. What agents have configured in
/// it or in a worktree starts nothing and sends nothing elsewhere. Blocking;
/// may be used from several threads. There must be one object per directory.
class repository_cache {
public:
  /// @param git How git is run.
  /// @param dir The bare repository, made by `init`.
  /// @param origin Path of the local forge or URL of the remote.
  /// @param before_fetch Brings the origin up to date, where it is a relay; a
  ///        fetch fails with its error.
  repository_cache(git_runner git, std::filesystem::path dir,
                   std::string origin,
                   std::function<result<void>()> before_fetch = {});

  const std::filesystem::path& dir() const { return dir_; }

  /// Makes the repository or completes a half-made one; follows a change of
  /// `origin`.
  result<void> init();

  /// Brings `refs/remotes/origin/*` and tags up to date. Callers that arrive
  /// while another waits to begin share that one's result.
  result<void> fetch(milliseconds limit = milliseconds{600'000});

  // -- provisioning: add_worktree, checkout, link, configure ----------------

  /// Makes branch and worktree without files. An existing branch is taken
  /// over as it is, and so is a detached worktree. Errors: `bad_input` (name,
  /// base), `wrong_state` (the branch is checked out elsewhere, the path is
  /// taken by something else).
  result<void> add_worktree(const worktree_spec& spec);

  /// Fills a worktree that has never been filled; one that has is left as it
  /// is. Does not exclude other steps.
  result<void> checkout(const std::filesystem::path& worktree,
                        milliseconds limit = milliseconds{600'000});

  /// Writes the worktree's own configuration: identity (the user's global
  /// one, else `<session> <<session>@ao.invalid>`), hooks, credential helper,
  /// and that `git push` pushes the branch to origin.
  result<void> configure(const worktree_spec& spec);

  /// Makes `paths` of the worktree links to the same paths of `checkout` and
  /// excludes them from what git sees. Absent ones are left out. Errors:
  /// `bad_input` for a path that leaves the worktree or is taken.
  result<void> link(const std::filesystem::path& worktree,
                    const std::filesystem::path& checkout,
                    const std::vector<std::string>& paths);

  // -- taking over -----------------------------------------------------------

  /// Where a branch is checked out; empty = nowhere.
  result<std::filesystem::path> place_of(std::string_view branch) const;

  /// Has the head of a worktree stand alone where it is, so that another may
  /// have its branch; its files and its index stay as they are. Done already
  /// when it is at another branch or at none.
  result<void> leave_branch(const std::filesystem::path& worktree,
                            std::string_view branch);

  /// Sets a branch that is checked out nowhere to what origin has of it; one
  /// that only one of the two has is left as it is. What it alone held is kept
  /// as `refs/ao/rescue/<session>/<utc>`. Errors: `wrong_state` when it is
  /// checked out.
  result<void> follow_origin(std::string_view branch, const session_id& session,
                             wall_time now);

  // -- undoing ---------------------------------------------------------------

  /// Removes a worktree and its metadata; none there: done already. Errors:
  /// `wrong_state` when it is dirty, in the middle of an operation or not
  /// readable, unless `saved` says that its work is kept elsewhere.
  result<void> remove_worktree(const std::filesystem::path& worktree,
                               bool saved = false);

  /// Deletes a branch; none there: done already. Errors: `wrong_state` when
  /// it is checked out, or holds commits that neither `merged_into` (a full
  /// ref) nor a ref below `refs/ao/` has, unless `saved`.
  result<void> delete_branch(std::string_view branch,
                             std::string_view merged_into, bool saved = false);

  // -- work ------------------------------------------------------------------

  result<worktree_state> inspect(const std::filesystem::path& worktree) const;

  /// Number of commits of the worktree's head that `base` does not have.
  result<std::size_t> ahead_of(const std::filesystem::path& worktree,
                               std::string_view base) const;

  /// What the worktree holds at present, committed or not, that `base` (a full
  /// ref) did not have where its head began; a file that is not tracked is one
  /// insertion. Nothing where the two have no common commit. Writes nothing.
  result<std::vector<hunk>> live_hunks(const std::filesystem::path& worktree,
                                       std::string_view base) const;

  /// Pushes `branch` of the worktree to origin. A branch that was rewritten
  /// replaces what this repository pushed before, never what somebody else
  /// did. `env` is seen by the forge's hooks (the session's token). The commit
  /// that was pushed. Errors: `stale_epoch` and `push_refused` with the line
  /// of the refusal, `not_reachable` when nobody could prove the lease,
  /// `ref_moved`, `git_failed`.
  result<std::string>
  push(const std::filesystem::path& worktree, std::string_view branch,
       const std::vector<std::pair<std::string, std::string>>& env,
       milliseconds limit = milliseconds{600'000});

  // -- keeping ---------------------------------------------------------------

  /// Keeps head and all changed and untracked files of the worktree as
  /// `refs/ao/rescue/<session>/<utc>`, checked to be readable. Worktree and
  /// index stay as they are. Files that git ignores are not kept; files of a
  /// nested repository are, its history is not. Empty when there is neither a
  /// commit nor a file.
  result<kept_work> save_rescue(const std::filesystem::path& worktree,
                                const session_id& session, wall_time now);

  /// The same as `refs/ao/parked/<session>/e<epoch>-r<run>`. A second call
  /// with other content keeps the first one's as a parent.
  result<kept_work> park(const std::filesystem::path& worktree,
                         const session_id& session, epoch_no epoch, run_no run,
                         wall_time now);

  /// The kept work of a session, oldest first.
  result<std::vector<kept_work>> kept(const session_id& session) const;

private:
  /// A registered worktree.
  struct entry {
    std::filesystem::path path;
    std::string branch;
  };

  /// Those that git knows, whether their directories are there or not.
  result<std::vector<entry>> worktrees() const;

  /// The directory that git keeps a worktree's head and index in; an error
  /// for one that is not of this repository.
  result<std::filesystem::path>
  git_dir_of(const std::filesystem::path& worktree) const;

  /// What of a worktree git is asked about.
  enum class depth { refs, files };

  /// Git for the repository itself, or for a worktree where one is given: with
  /// what agents have configured there overridden or removed. `files`: also
  /// what they have configured in repositories that are part of it. Errors:
  /// as `git_dir_of`; `wrong_state` for what cannot be removed.
  result<git_runner> guard(const std::filesystem::path& worktree = {},
                           depth how = depth::refs) const;
  result<void> fetch_now(milliseconds limit) const;
  result<void> remove_setting(const std::filesystem::path& git_dir,
                              const std::string& key) const;

  result<git_end>
  try_push(const git_runner& git, const std::filesystem::path& worktree,
           const std::string& branch, const git_call& how) const;
  result<void> exclude(const std::vector<std::string>& paths);
  result<std::string>
  snapshot_tree(const git_runner& git, const std::filesystem::path& git_dir,
                const std::filesystem::path& tree,
                const std::filesystem::path& index, int depth) const;
  result<std::string> snapshot(const git_runner& git,
                               const std::filesystem::path& worktree,
                               const std::string& head) const;
  result<kept_work> keep(const std::filesystem::path& worktree,
                         const std::string& ref, const session_id& session,
                         wall_time now);

  git_runner git_;
  std::filesystem::path dir_;
  std::string origin_;
  std::function<result<void>()> before_fetch_;

  /// Held by each step that touches shared metadata.
  std::mutex metadata_;

  /// Guards the four below, which let waiting fetches share one.
  std::mutex fetch_state_;
  std::uint64_t fetches_begun_ = 0;
  std::uint64_t fetch_done_ = 0;
  result<void> last_fetch_;
};

} // namespace ao
