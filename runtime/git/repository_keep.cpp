#include "runtime/git/names.hpp"
#include "runtime/git/repository.hpp"
#include "runtime/git/tree.hpp"

namespace ao {
namespace {

namespace fs = std::filesystem;

std::vector<std::pair<std::string, std::string>> keeper(wall_time now) {
  auto seconds
    = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  auto date = "@" + std::to_string(seconds.count()) + " +0000";
  return {{"GIT_AUTHOR_NAME", "ao"},
          {"GIT_AUTHOR_EMAIL", "ao@ao.invalid"},
          {"GIT_AUTHOR_DATE", date},
          {"GIT_COMMITTER_NAME", "ao"},
          {"GIT_COMMITTER_EMAIL", "ao@ao.invalid"},
          {"GIT_COMMITTER_DATE", date}};
}

result<bool> is_empty_tree(const git_runner& git, const fs::path& dir,
                           const std::string& tree) {
  auto entries = git.ask({dir, {"ls-tree", tree}});
  if (!entries)
    return fail(entries.error());
  return entries->empty();
}

/// Removes a temporary index, whatever happens.
struct index_guard {
  fs::path path;
  ~index_guard() {
    std::error_code ignored;
    fs::remove(path, ignored);
    fs::remove(fs::path{path}.concat(".lock"), ignored);
  }
};

} // namespace

result<std::string>
repository_cache::snapshot_tree(const git_runner& git, const fs::path& git_dir,
                                const fs::path& tree, const fs::path& index,
                                int depth) const {
  constexpr int deepest = 8;
  if (depth > deepest)
    return fail(ec::git_failed,
                "repositories nested too deep in " + tree.string());
  git_call call{tree, {}};
  call.scope = git_scope::users;
  call.limit = milliseconds{600'000};
  call.env = {{"GIT_DIR", git_dir.string()},
              {"GIT_WORK_TREE", tree.string()},
              {"GIT_INDEX_FILE", index.string()}};
  auto ask = [&](std::vector<std::string> args, std::string input = {}) {
    call.args = std::move(args);
    call.input = std::move(input);
    return git.ask(call);
  };
  if (auto done = ask({"add", "--update", "--", ":/"}); depth == 0 && !done)
    return fail(done.error());
  auto others = ask({"ls-files", "-z", "--others", "--exclude-standard"});
  if (!others)
    return fail(others.error());
  std::string files;
  std::vector<std::string> nested;
  for (auto& path : split_nul(*others)) {
    if (path.back() == '/')
      nested.push_back(path.substr(0, path.size() - 1));
    else
      files.append(path).push_back('\0');
  }
  if (!files.empty())
    if (auto done = ask(
          {"update-index", "-z", "--add", "--remove", "--replace", "--stdin"},
          files);
        !done)
      return fail(done.error());
  for (const auto& path : nested) {
    // git would record only the nested repository's head, not its files.
    index_guard inner{fs::path{index}.concat(".n")};
    auto files_of
      = snapshot_tree(git, git_dir, tree / path, inner.path, depth + 1);
    if (!files_of)
      return files_of;
    auto nothing = is_empty_tree(git, dir_, *files_of);
    if (!nothing)
      return fail(nothing.error());
    if (*nothing)
      continue;
    if (auto done = ask({"read-tree", "--prefix=" + path, *files_of}); !done)
      return done;
  }
  auto written = ask({"write-tree"});
  if (written && !written->empty())
    written->pop_back();
  return written;
}

result<std::string> repository_cache::snapshot(const git_runner& git,
                                               const fs::path& worktree,
                                               const std::string& head) const {
  auto git_dir = git_dir_of(worktree);
  if (!git_dir)
    return fail(git_dir.error());
  // Beside the real index, whose knowledge of unchanged files makes it fast
  // and which holds files that were added against .gitignore.
  index_guard index{*git_dir / ("ao-keep-" + make_ulid())};
  std::error_code problem;
  fs::copy_file(*git_dir / "index", index.path, problem);
  auto tree = snapshot_tree(git, *git_dir, worktree, index.path, 0);
  if (tree || head.empty())
    return tree;
  // The index may be damaged; the head is as good a beginning.
  fs::remove(index.path, problem);
  git_call read{worktree, {"read-tree", head}};
  read.env = {{"GIT_INDEX_FILE", index.path.string()}};
  if (auto done = git.ask(read); !done)
    return done;
  return snapshot_tree(git, *git_dir, worktree, index.path, 0);
}

result<kept_work>
repository_cache::keep(const fs::path& worktree, const std::string& ref,
                       const session_id& session, wall_time now) {
  if (!valid_ref(ref))
    return fail(ec::bad_input, "not a ref: " + one_line(ref));
  auto git = guard(worktree, depth::files);
  if (!git)
    return fail(git.error());
  auto head = git->commit_of(worktree, "HEAD");
  if (!head)
    return fail(head.error());
  auto old = git->commit_of(dir_, ref);
  if (!old)
    return fail(old.error());
  auto tree = snapshot(*git, worktree, head->value_or(""));
  if (!tree)
    return fail(tree.error());
  auto over = [&](const std::string& parent) -> result<bool> {
    auto its = git->ask_line({dir_, {"rev-parse", parent + "^{tree}"}});
    if (!its)
      return fail(its.error());
    return *its == *tree;
  };
  std::vector<std::string> parents;
  if (*head)
    parents.push_back(**head);
  if (*old) {
    auto same = over(**old);
    if (!same)
      return fail(same.error());
    auto above = *head ? git->contains(dir_, **head, **old) : true;
    if (!above)
      return fail(above.error());
    if (*same && *above)
      return kept_work{ref, **old, *old != *head};
    auto below = *head ? git->contains(dir_, **old, **head) : false;
    if (!below)
      return fail(below.error());
    // What was kept under this name before stays reachable.
    if (!*below)
      parents.push_back(**old);
  }
  kept_work kept{ref, head->value_or(""), false};
  auto clean = *head ? over(**head) : is_empty_tree(*git, dir_, *tree);
  if (!clean)
    return fail(clean.error());
  if (parents.empty() && *clean)
    return kept_work{};
  if (!*clean || parents.size() > 1 || !*head) {
    git_call commit{dir_, {"commit-tree", *tree}};
    for (const auto& parent : parents)
      commit.args.insert(commit.args.end(), {"-p", parent});
    commit.input = "Work of " + one_line(session.text) + " kept by ao\n";
    commit.env = keeper(now);
    auto sha = git->ask_line(commit);
    if (!sha)
      return fail(sha.error());
    kept.sha = *sha;
    kept.new_commit = true;
  }
  if (auto moved
      = git->move_ref(dir_, ref, kept.sha, old->value_or(zero_oid()), "keep");
      !moved)
    return fail(moved.error());
  git_call check{dir_, {"rev-list", "--objects", "--quiet", ref}};
  if (*head && kept.new_commit)
    check.args.push_back("^" + **head);
  if (auto readable = git->ask(check); !readable)
    return fail(readable.error());
  return kept;
}

result<kept_work> repository_cache::save_rescue(const fs::path& worktree,
                                                const session_id& session,
                                                wall_time now) {
  return keep(worktree,
              "refs/ao/rescue/" + session.text + "/" + format_ref_time(now),
              session, now);
}

result<kept_work>
repository_cache::park(const fs::path& worktree, const session_id& session,
                       epoch_no epoch, run_no run, wall_time now) {
  return keep(worktree,
              "refs/ao/parked/" + session.text + "/e" + std::to_string(epoch)
                + "-r" + std::to_string(run),
              session, now);
}

result<std::vector<kept_work>>
repository_cache::kept(const session_id& session) const {
  auto rescue = "refs/ao/rescue/" + session.text;
  auto parked = "refs/ao/parked/" + session.text;
  if (!valid_ref(rescue))
    return fail(ec::bad_input, "not a session: " + one_line(session.text));
  auto git = guard();
  if (!git)
    return fail(git.error());
  auto out = git->ask(
    {dir_,
     {"for-each-ref", "--sort=refname", "--sort=committerdate",
      "--format=%(objectname) %(committeremail) %(refname)", rescue, parked}});
  if (!out)
    return fail(out.error());
  std::vector<kept_work> list;
  std::string_view rest = *out;
  while (!rest.empty()) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    auto first = line.find(' ');
    auto second = line.find(' ', first + 1);
    list.push_back({std::string{line.substr(second + 1)},
                    std::string{line.substr(0, first)},
                    line.find(" <ao@ao.invalid> ") != line.npos});
  }
  return list;
}

} // namespace ao
