#include "runtime/git/names.hpp"
#include "runtime/git/planted.hpp"
#include "runtime/git/repository.hpp"
#include "runtime/git/repository_parts.hpp"
#include "runtime/git/tree.hpp"

namespace ao {

using namespace repository_parts;

namespace {

namespace fs = std::filesystem;

result<planted_settings> read_settings(const git_runner& git,
                                       const fs::path& place,
                                       std::string_view origin) {
  git_call list{place, {"config", "--list", "--show-scope", "-z"}};
  list.scope = git_scope::users;
  auto out = git.ask(list);
  if (!out)
    return fail(out.error());
  return judge_settings(*out, origin);
}

/// Adds what is set in the repositories that are part of the tree: git looks
/// into them for changed files.
/// @param git As it is called for the tree itself.
/// @param plain As it is called for others.
result<void> add_parts(const git_runner& git, const git_runner& plain,
                       const fs::path& tree, planted_settings& planted,
                       int depth) {
  constexpr int deepest = 8;
  if (depth > deepest)
    return fail(ec::git_failed,
                "repositories nested too deep in " + tree.string());
  auto files = git.run({tree, {"ls-files", "-z", "--stage"}});
  // The index may be damaged; then the head is what is compared with.
  if (files && files->code != 0)
    files = git.run({tree, {"ls-tree", "-r", "-z", "HEAD"}});
  if (!files)
    return fail(files.error());
  for (const auto& entry : split_nul(files->out)) {
    constexpr std::string_view link = "160000 ";
    auto tab = entry.find('\t');
    if (entry.compare(0, link.size(), link) != 0 || tab == std::string::npos)
      continue;
    auto part = tree / entry.substr(tab + 1);
    if (!is_there(part / ".git") || !is_below(part, tree))
      continue;
    auto more = read_settings(plain, part, {});
    if (!more)
      return fail(more.error());
    planted.overrides.insert(planted.overrides.end(), more->overrides.begin(),
                             more->overrides.end());
    if (auto done = add_parts(plain, plain, part, planted, depth + 1); !done)
      return done;
  }
  return {};
}

} // namespace

result<fs::path> repository_cache::git_dir_of(const fs::path& worktree) const {
  auto dir = line_of(worktree / ".git", "gitdir: ");
  if (!dir)
    return fail(dir.error());
  // An agent may have written that file.
  auto path = (worktree / *dir).lexically_normal();
  if (!is_below(path, dir_ / "worktrees") || !is_there(path / "HEAD"))
    return fail(ec::git_failed,
                worktree.string() + " is not a worktree of " + dir_.string());
  return path;
}

result<void> repository_cache::remove_setting(const fs::path& git_dir,
                                              const std::string& key) const {
  for (const auto& file : {dir_ / "config", git_dir / "config.worktree"}) {
    if (!is_there(file))
      continue;
    if (auto done = unset_key(git_, file, "--unset-all", key); !done)
      return done;
  }
  if (key != "remote.origin.url")
    return {};
  auto own = git_.ask(
    {dir_, {"config", "--file", (dir_ / "config").string(), key, origin_}});
  return own ? result<void>{} : fail(own.error());
}

result<git_runner> repository_cache::guard(const fs::path& worktree,
                                           depth how) const {
  auto place = dir_;
  auto git_dir = dir_;
  auto git = git_;
  if (!worktree.empty()) {
    auto its = git_dir_of(worktree);
    if (!its)
      return fail(its.error());
    place = worktree;
    git_dir = *its;
    git = git_.with(
      {{"GIT_DIR", git_dir.string()}, {"GIT_WORK_TREE", worktree.string()}});
  }
  auto planted = read_settings(git, place, origin_);
  if (planted && !planted->redirects.empty()) {
    for (const auto& key : planted->redirects)
      if (auto done = remove_setting(git_dir, key); !done)
        return fail(done.error());
    planted = read_settings(git, place, origin_);
  }
  if (!planted)
    return fail(planted.error());
  if (!planted->redirects.empty())
    return fail(ec::wrong_state,
                "the configuration of " + place.string() + " sets "
                  + one_line(planted->redirects.front())
                  + "; find it by git config --show-origin --get-all, and "
                    "remove it");
  if (how == depth::files)
    if (auto done = add_parts(git, git_, place, *planted, 0); !done)
      return fail(done.error());
  return git.with(override_variables(*planted));
}

} // namespace ao
