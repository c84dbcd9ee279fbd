#include "runtime/git/tree.hpp"

#include <algorithm>

namespace ao {
namespace {

namespace fs = std::filesystem;

/// Build tools leave read-only directories behind (Go's module cache).
void make_writable(const fs::path& dir) {
  std::error_code ignored;
  fs::permissions(dir, fs::perms::owner_all, fs::perm_options::add, ignored);
  fs::directory_iterator entries{dir, ignored};
  if (ignored)
    return;
  for (const auto& entry : entries)
    if (entry.symlink_status(ignored).type() == fs::file_type::directory)
      make_writable(entry.path());
}

} // namespace

bool is_there(const fs::path& path) {
  std::error_code problem;
  return fs::symlink_status(path, problem).type() != fs::file_type::not_found;
}

bool is_below(const fs::path& path, const fs::path& dir) {
  std::error_code problem;
  auto whole = fs::weakly_canonical(path, problem);
  if (problem)
    return false;
  auto prefix = fs::weakly_canonical(dir, problem);
  if (problem)
    return false;
  return std::mismatch(prefix.begin(), prefix.end(), whole.begin(), whole.end())
           .first
    == prefix.end();
}

bool holds_nothing_but_git(const fs::path& dir) {
  if (!is_there(dir))
    return true;
  std::error_code problem;
  fs::directory_iterator entries{dir, problem};
  if (problem)
    return false;
  return std::all_of(begin(entries), end(entries), [](const auto& entry) {
    return entry.path().filename() == ".git";
  });
}

result<void> remove_tree(const fs::path& dir) {
  std::error_code problem;
  fs::remove_all(dir, problem);
  if (!problem)
    return {};
  make_writable(dir);
  fs::remove_all(dir, problem);
  if (problem)
    return fail(ec::process_failed,
                "cannot remove " + dir.string() + ": " + problem.message());
  return {};
}

} // namespace ao
