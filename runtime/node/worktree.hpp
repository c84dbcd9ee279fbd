#pragma once

#include "messages/error.hpp"
#include "messages/session.hpp"
#include "runtime/git/repository.hpp"

#include <filesystem>
#include <string>

namespace ao {

/// What a worktree holds now. Errors: those of git.
/// @param base Short name of the branch that its changes go to.
result<worktree_facts> look_at_worktree(const repository_cache& cache,
                                        const std::filesystem::path& worktree,
                                        const std::string& base);

} // namespace ao
