#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ao {

/// What stands in the configuration of a repository that agents may write, and
/// must not count where git runs for the hub.
struct planted_settings {
  /// Settings that would start a program, each with what counts instead: the
  /// user's own value, or one that starts nothing.
  std::vector<std::pair<std::string, std::string>> overrides;

  /// Keys that would send fetches and pushes elsewhere, or have them start a
  /// program. Git lets nobody override them, so they have to be removed.
  std::vector<std::string> redirects;

  /// Git's proxy command is one of a repository's.
  bool proxy = false;
};

/// Judges the output of `git config --list --show-scope -z`: what a repository
/// or worktree says counts only where it cannot start anything; what the user
/// or the system says counts.
/// @param origin The only value that `remote.origin.url` may have.
planted_settings judge_settings(std::string_view listing,
                                std::string_view origin);

/// The settings as variables of git's environment, which win over those of
/// every file, also in the repositories below this one.
std::vector<std::pair<std::string, std::string>>
override_variables(const planted_settings& planted);

} // namespace ao
