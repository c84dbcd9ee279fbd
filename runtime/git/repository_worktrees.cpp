#include "runtime/git/config_file.hpp"
#include "runtime/git/names.hpp"
#include "runtime/git/repository.hpp"
#include "runtime/git/repository_parts.hpp"
#include "runtime/git/tree.hpp"
#include "runtime/io/fd.hpp"

#include <algorithm>

namespace ao {

using namespace repository_parts;

namespace {

namespace fs = std::filesystem;

/// A path as a line of `info/exclude` that means only itself.
std::string exclude_line(std::string_view path) {
  std::string line = "/";
  for (auto c : path) {
    if (std::string_view{"\\*?[ "}.find(c) != std::string_view::npos)
      line += '\\';
    line += c;
  }
  return line;
}

} // namespace

result<std::vector<repository_cache::entry>>
repository_cache::worktrees() const {
  // As gitrepository-layout(5) has it. `git worktree list` looks at all refs
  // of all worktrees and fails for one that is half-made.
  std::vector<entry> list;
  std::error_code problem;
  auto dir = dir_ / "worktrees";
  for (fs::directory_iterator at{dir, problem}, end; !problem && at != end;
       at.increment(problem)) {
    auto place = line_of(at->path() / "gitdir", "");
    // git leaves it out too, and prunes it.
    if (!place || place->empty())
      continue;
    entry one;
    one.path = (at->path() / *place).lexically_normal().parent_path();
    if (auto head = line_of(at->path() / "HEAD", "ref: "))
      one.branch = without_heads(*head);
    list.push_back(std::move(one));
  }
  if (problem && problem != std::errc::no_such_file_or_directory)
    return fail(ec::git_failed, dir.string() + ": " + problem.message());
  return list;
}

result<void> repository_cache::add_worktree(const worktree_spec& spec) {
  auto detached = spec.branch.empty();
  if (!detached && !valid_branch(spec.branch))
    return fail(ec::bad_input,
                "not a name of a branch: " + one_line(spec.branch));
  if (!spec.path.is_absolute())
    return fail(ec::bad_input, "a worktree needs an absolute path");
  std::error_code problem;
  fs::create_directories(spec.path.parent_path(), problem);
  if (problem)
    return fail(ec::home_unusable,
                spec.path.string() + ": " + problem.message());
  std::lock_guard exclusive{metadata_};
  auto list = worktrees();
  if (!list)
    return fail(list.error());
  for (const auto& entry : *list) {
    auto same_path = fs::weakly_canonical(entry.path, problem)
      == fs::weakly_canonical(spec.path, problem);
    auto same_branch = !detached && entry.branch == spec.branch;
    if (!same_path && !same_branch)
      continue;
    auto alive = is_there(entry.path / ".git");
    if (alive && same_path
        && (same_branch || (detached && entry.branch.empty())))
      return {};
    // What a killed `git worktree add` or a lost directory leaves behind.
    if (alive && !(same_path && holds_nothing_but_git(entry.path)))
      return fail(ec::wrong_state,
                  same_path ? spec.path.string() + " is the worktree of "
                      + (entry.branch.empty() ? "no branch" : entry.branch)
                            : spec.branch + " is checked out in "
                      + entry.path.string());
    auto removed = git_.ask({dir_,
                             {"worktree", "remove", "--force", "--force", "--",
                              entry.path.string()}});
    if (!removed)
      return fail(removed.error());
  }
  if (is_there(spec.path) && !fs::is_empty(spec.path, problem))
    return fail(ec::wrong_state, spec.path.string() + " is not empty");
  auto git = guard();
  if (!git)
    return fail(git.error());
  // A branch that only origin has is one that was worked on elsewhere: it goes
  // on there, or its next push would not follow the last.
  auto found = git->commits_of(
    dir_,
    {detached ? spec.base : branch_ref(spec.branch),
     detached ? spec.base : "refs/remotes/origin/" + spec.branch, spec.base});
  if (!found)
    return fail(found.error());
  git_call add{dir_, {"worktree", "add", "--quiet", "--no-checkout"}};
  if (detached && found->front()) {
    add.args.insert(add.args.end(),
                    {"--detach", "--", spec.path.string(), *found->front()});
  } else if (found->front()) {
    add.args.insert(add.args.end(), {"--", spec.path.string(), spec.branch});
  } else {
    const auto& base = (*found)[1] ? (*found)[1] : found->back();
    if (!base)
      return fail(ec::bad_input, "no commit at " + one_line(spec.base));
    add.args.insert(
      add.args.end(),
      {"--no-track", "-b", spec.branch, "--", spec.path.string(), *base});
  }
  if (auto added = git->ask(add); !added)
    return fail(added.error());
  return {};
}

result<void> repository_cache::checkout(const fs::path& worktree,
                                        milliseconds limit) {
  auto git_dir = git_dir_of(worktree);
  if (!git_dir)
    return fail(git_dir.error());
  // git writes the index when all files are there, so that its presence
  // vouches for them; afterwards the files are the agent's.
  if (is_there(*git_dir / "index"))
    return {};
  auto git = guard(worktree);
  if (!git)
    return fail(git.error());
  std::error_code problem;
  fs::remove(*git_dir / "index.lock", problem);
  git_call call{worktree, {"reset", "--quiet", "--hard", "HEAD"}};
  call.limit = limit;
  if (auto done = git->ask(call); !done)
    return fail(done.error());
  return {};
}

result<void> repository_cache::configure(const worktree_spec& spec) {
  auto users = git_.users_identity();
  if (!users)
    return fail(users.error());
  auto git_dir = git_dir_of(spec.path);
  if (!git_dir)
    return fail(git_dir.error());
  auto name = one_line(spec.session.text);
  auto who = users->value_or(git_person{name, name + "@ao.invalid"});
  auto hooks
    = spec.hooks.empty() ? std::string{"/dev/null"} : spec.hooks.string();
  // An empty value forgets the helpers named before it.
  std::vector<std::string> helpers{""};
  if (!spec.credential_helper.empty())
    helpers.push_back(spec.credential_helper);
  // Not by `git config --worktree`: that reads all worktrees and dies of one
  // that is being added at the moment.
  return put_settings(git_, *git_dir / "config.worktree",
                      {{"user.name", {who.name}},
                       {"user.email", {who.email}},
                       {"core.hooksPath", {hooks}},
                       {"push.default", {"current"}},
                       {"remote.pushDefault", {"origin"}},
                       {"credential.helper", helpers}});
}

result<void> repository_cache::link(const fs::path& worktree,
                                    const fs::path& checkout,
                                    const std::vector<std::string>& paths) {
  std::vector<std::string> made;
  for (const auto& path : paths) {
    if (!valid_inner_path(path))
      return fail(ec::bad_input,
                  "symlink leaves the worktree: " + one_line(path));
    auto source = checkout / path;
    auto place = worktree / path;
    if (!is_there(source))
      continue;
    // A tracked link on the way could lead out of the worktree.
    if (!is_below(place.parent_path(), worktree))
      return fail(ec::bad_input,
                  "symlink leaves the worktree: " + one_line(path));
    made.push_back(path);
    std::error_code problem;
    if (fs::read_symlink(place, problem) == source && !problem)
      continue;
    if (is_there(place))
      return fail(ec::bad_input,
                  "symlink is in the way of a file: " + one_line(path));
    fs::create_directories(place.parent_path(), problem);
    fs::create_symlink(source, place, problem);
    if (problem)
      return fail(ec::process_failed,
                  place.string() + ": " + problem.message());
  }
  return exclude(made);
}

result<void> repository_cache::exclude(const std::vector<std::string>& paths) {
  if (paths.empty())
    return {};
  std::lock_guard guard{metadata_};
  std::error_code problem;
  fs::create_directories(dir_ / "info", problem);
  auto file = (dir_ / "info" / "exclude").string();
  std::string text;
  if (is_there(file)) {
    auto present = read_whole_file(file, 1u << 20);
    if (!present)
      return fail(present.error());
    text = std::move(*present);
  }
  if (!text.empty() && text.back() != '\n')
    text += '\n';
  auto before = text.size();
  for (const auto& path : paths) {
    auto line = exclude_line(path) + "\n";
    if (("\n" + text).find("\n" + line) == std::string::npos)
      text += line;
  }
  return text.size() == before ? result<void>{}
                               : write_file_durably(file, text, 0644);
}

result<void> repository_cache::remove_worktree(const fs::path& worktree,
                                               bool saved) {
  auto kept = [&](const std::string& why) {
    return fail(ec::wrong_state, worktree.string() + " is kept: " + why);
  };
  std::lock_guard exclusive{metadata_};
  auto list = worktrees();
  if (!list)
    return fail(list.error());
  std::error_code problem;
  auto wanted = fs::weakly_canonical(worktree, problem);
  auto known = std::any_of(list->begin(), list->end(), [&](const auto& entry) {
    return fs::weakly_canonical(entry.path, problem) == wanted;
  });
  auto hollow = holds_nothing_but_git(worktree);
  if (!known) {
    if (!hollow && !saved)
      return kept("it is not a worktree of " + dir_.string());
    return remove_tree(worktree);
  }
  if (!saved && is_there(worktree / ".git")) {
    auto git_dir = git_dir_of(worktree);
    if (!git_dir)
      return kept(git_dir.error().context);
    // One that was never filled has nothing to lose; git would say that all
    // its files were deleted.
    if (is_there(*git_dir / "index") || !hollow) {
      auto state = inspect(worktree);
      if (!state)
        return kept(state.error().context);
      if (!state->operation.empty())
        return kept("a " + state->operation + " is not finished");
      if (state->dirty)
        return kept("it has changed files");
      auto git = guard(worktree);
      if (!git)
        return kept(git.error().context);
      auto loose
        = git->ask({worktree,
                    {"rev-list", "--max-count=1", "HEAD", "--not", "--branches",
                     "--tags", "--remotes", "--glob=refs/ao/*"}});
      if (!state->head.empty() && !loose)
        return kept(loose.error().context);
      if (!state->head.empty() && !loose->empty())
        return kept("its head is on no branch");
    }
  } else if (!saved && !hollow) {
    return kept("it has lost its .git");
  }
  git_call remove{
    dir_,
    {"worktree", "remove", "--force", "--force", "--", worktree.string()}};
  auto end = git_.run(remove);
  if (!end)
    return fail(end.error());
  // git forgets a worktree even when it cannot delete all of it, and refuses
  // one whose .git is damaged.
  if (auto gone = remove_tree(worktree); !gone)
    return gone;
  if (end->code != 0)
    if (auto pruned = git_.ask({dir_, {"worktree", "prune"}}); !pruned)
      return fail(pruned.error());
  return {};
}

result<void> repository_cache::delete_branch(std::string_view branch,
                                             std::string_view merged_into,
                                             bool saved) {
  if (!valid_branch(branch))
    return fail(ec::bad_input, "not a name of a branch: " + one_line(branch));
  std::lock_guard exclusive{metadata_};
  auto git = guard();
  if (!git)
    return fail(git.error());
  auto ref = branch_ref(branch);
  auto head = git->commit_of(dir_, ref);
  if (!head)
    return fail(head.error());
  if (!*head)
    return {};
  auto list = worktrees();
  if (!list)
    return fail(list.error());
  for (const auto& entry : *list)
    if (entry.branch == branch)
      return fail(ec::wrong_state,
                  std::string{branch} + " is checked out in "
                    + entry.path.string());
  if (!saved) {
    auto base = git->commit_of(dir_, merged_into);
    if (!base)
      return fail(base.error());
    git_call call{dir_,
                  {"rev-list", "--count", **head, "--not", "--glob=refs/ao/*"}};
    if (*base)
      call.args.push_back(**base);
    auto count = git->ask_line(call);
    if (!count)
      return fail(count.error());
    if (*count != "0")
      return fail(ec::wrong_state,
                  std::string{branch} + " is kept: " + *count
                    + " commits are only there");
  }
  return git->move_ref(dir_, ref, zero_oid(), **head, "delete");
}

} // namespace ao
