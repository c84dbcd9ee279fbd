#pragma once

#include "messages/error.hpp"

#include <filesystem>

namespace ao {

/// Whether there is anything called `path`, be it a link to nowhere.
bool is_there(const std::filesystem::path& path);

/// Whether `path` is `dir` or lies below it once both are resolved.
bool is_below(const std::filesystem::path& path,
              const std::filesystem::path& dir);

/// Whether there is nothing but (at most) an entry called `.git` in `dir`; an
/// absent directory holds nothing.
bool holds_nothing_but_git(const std::filesystem::path& dir);

/// Removes a directory and all below it, read-only directories included;
/// never follows a link. None there: done. Errors: `process_failed`.
result<void> remove_tree(const std::filesystem::path& dir);

} // namespace ao
