#pragma once

#include "messages/error.hpp"
#include "runtime/git/git.hpp"
#include "runtime/rules/push.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace ao {

/// How objects and branches get from the hub's forge to the relays of the
/// nodes and back: as packs in files, which travel in chunks. All of these
/// block, and may be repeated.

/// What a forge has and a relay has not.
struct pack_offer {
  /// All branches of the forge, short, and their commits.
  std::map<std::string, std::string> heads;
  /// The pack; empty when the relay has all objects.
  std::filesystem::path file;
  std::uint64_t size = 0;
};

/// Packs what is reachable from the branches of `repository` and from none of
/// the commits `have`; those that it does not know do not count.
/// @param into Directory for the file, which the caller removes.
result<pack_offer> pack_new(const git_runner& git,
                            const std::filesystem::path& repository,
                            const std::vector<std::string>& have,
                            const std::filesystem::path& into);

/// Makes the objects of a pack part of a repository; the file goes. Errors:
/// `git_failed`, when it is damaged or something that it builds on is missing.
result<void> take_pack(const git_runner& git,
                       const std::filesystem::path& repository,
                       const std::filesystem::path& file);

/// Makes the branches of `repository` exactly these.
result<void> follow_heads(const git_runner& git,
                          const std::filesystem::path& repository,
                          const std::map<std::string, std::string>& heads);

/// The commits of all branches of `repository`.
result<std::map<std::string, std::string>>
heads_of(const git_runner& git, const std::filesystem::path& repository);

/// A push that a pre-receive hook is asked about.
struct held_push {
  std::vector<ref_update> updates;
  /// Where git keeps its objects until the hook has agreed; empty = none came.
  std::string quarantine;
};

/// Packs what the push brings and no branch of the relay has. Empty when it
/// brings nothing (a branch at a known commit, or one that goes).
result<std::filesystem::path>
pack_push(const git_runner& git, const std::filesystem::path& relay,
          const held_push& push, const std::filesystem::path& into);

/// Pushes to the forge what a node has sent: by way of a repository of its
/// own, so that nothing is in the forge before its hook has agreed. Errors:
/// `push_refused` and `stale_epoch` with the hook's line, `ref_moved`,
/// `git_failed`.
/// @param pack Empty = no new objects; the file goes.
/// @param env Of the pusher: token and socket, for the hook.
/// @param scratch Directory that this call may use alone.
result<void>
carry_push(const git_runner& git, const std::filesystem::path& forge,
           const std::filesystem::path& pack,
           const std::vector<ref_update>& updates,
           const std::vector<std::pair<std::string, std::string>>& env,
           const std::filesystem::path& scratch);

/// A node's own forge of one project: worktrees there push to it, and it takes
/// only what the hub's forge has taken.
/// @param hooks What its `pre-receive` starts.
struct hook_target;
result<void> make_relay(const git_runner& git,
                        const std::filesystem::path& relay,
                        const std::string& base, const hook_target& hooks);

} // namespace ao
