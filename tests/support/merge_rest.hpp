#pragma once

#include "tests/support/world.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace ao {

/// What `git fsck` finds in the repository; empty = it is sound.
std::string unsound(const world& w, const std::filesystem::path& repository);

/// Commits of the base, the oldest first, whose files fail `ci.sh`.
std::vector<std::string> red_commits(const world& w);

/// What is wrong in a world whose hub has been stopped after merges; empty =
/// nothing: the base is green at each commit, the repositories are sound, and
/// no lock, checkout or process of the checks is left over.
std::vector<std::string> rest_of_merges(const world& w);

} // namespace ao
