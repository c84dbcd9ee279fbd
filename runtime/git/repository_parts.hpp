#pragma once

#include "messages/error.hpp"
#include "runtime/git/git.hpp"

#include <filesystem>
#include <string>
#include <string_view>

/// What the files of the repository cache share; nobody else includes this.
namespace ao::repository_parts {

/// `main` of `refs/heads/main`; others as they are.
std::string without_heads(std::string_view ref);

/// The first line of one of git's small files, without what introduces it.
/// Errors: `home_unusable`, `git_failed` when it is introduced otherwise.
result<std::string> line_of(const std::filesystem::path& file,
                            std::string_view intro);

/// Removes a key from a configuration file; one that is not set is no error.
/// @param how `--unset` or, where it may be set more than once, `--unset-all`.
result<void> unset_key(const git_runner& git, const std::filesystem::path& file,
                       const char* how, const std::string& key);

} // namespace ao::repository_parts
