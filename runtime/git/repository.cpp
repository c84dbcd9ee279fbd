#include "runtime/git/repository.hpp"

#include "runtime/git/config_file.hpp"
#include "runtime/git/hunks.hpp"
#include "runtime/git/names.hpp"
#include "runtime/git/planted.hpp"
#include "runtime/git/tree.hpp"
#include "runtime/io/fd.hpp"

#include <algorithm>
#include <charconv>

namespace ao {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view heads = "refs/heads/";

/// Grows when `init` writes something else than before.
constexpr const char* layout = "1";

constexpr std::size_t status_lines = 20;

std::string without_heads(std::string_view ref) {
  return std::string{
    ref.substr(0, heads.size()) == heads ? ref.substr(heads.size()) : ref};
}

/// The first line of one of git's small files, without what introduces it.
result<std::string> line_of(const fs::path& file, std::string_view intro) {
  auto text = read_whole_file(file.string(), 1u << 16);
  if (!text)
    return fail(text.error());
  if (text->compare(0, intro.size(), intro) != 0)
    return fail(ec::git_failed,
                file.string() + " does not begin with \"" + std::string{intro}
                  + "\"");
  text->erase(0, intro.size());
  return text->substr(0, text->find('\n'));
}

std::string operation_in(const fs::path& git_dir) {
  constexpr std::pair<const char*, const char*> marks[] = {
    {"rebase-merge", "rebase"}, {"rebase-apply", "rebase"},
    {"MERGE_HEAD", "merge"},    {"CHERRY_PICK_HEAD", "cherry-pick"},
    {"REVERT_HEAD", "revert"},  {"BISECT_LOG", "bisect"},
  };
  for (auto [file, operation] : marks)
    if (is_there(git_dir / file))
      return operation;
  return {};
}

/// The first lines of a status and how many more there are.
std::string capped(std::string_view status) {
  std::string text;
  std::size_t lines = 0;
  while (!status.empty() && lines < status_lines) {
    auto end = std::min(status.find('\n'), status.size() - 1) + 1;
    text += status.substr(0, end);
    status.remove_prefix(end);
    ++lines;
  }
  if (!status.empty())
    text += "... and "
      + std::to_string(std::count(status.begin(), status.end(), '\n'))
      + " more\n";
  return text;
}

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

/// What a refused push says to the one who pushed.
error push_failure(const git_call& call, const git_end& end) {
  constexpr std::string_view sign = "ao: push refused: ";
  if (auto at = end.err.find(sign); at != std::string::npos) {
    auto line = one_line(
      std::string_view{end.err}.substr(at, end.err.find('\n', at) - at), 500);
    auto stale = line.compare(sign.size(), 6, "stale ") == 0;
    return error{stale ? ec::stale_epoch : ec::push_refused, line};
  }
  for (const auto* sign_of_move :
       {"stale info", "non-fast-forward", "fetch first", "remote ref updated"})
    if (end.out.find(sign_of_move) != std::string::npos)
      return error{ec::ref_moved, "the branch was moved at origin by another"};
  return git_failure(call, end);
}

/// A fetch found a ref moved, or being moved, by another git.
bool lost_a_race(const error& why) {
  return why.context.find("cannot lock ref") != std::string::npos;
}

/// Our own push may be under way twice: that of a hub that was killed goes on.
/// It was ahead before the forge told its refs, or after.
bool was_overtaken(const git_end& end) {
  auto says = [&end](const char* sign) {
    return end.out.find(sign) != std::string::npos;
  };
  return end.code != 0
    && (says("stale info")
        || (says("[remote rejected]") && !says("hook declined")));
}

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

repository_cache::repository_cache(git_runner git, fs::path dir,
                                   std::string origin,
                                   std::function<result<void>()> before_fetch)
    : git_(std::move(git)),
      dir_(std::move(dir)),
      origin_(std::move(origin)),
      before_fetch_(std::move(before_fetch)) {}

result<void> repository_cache::init() {
  std::lock_guard guard{metadata_};
  std::error_code problem;
  fs::create_directories(dir_, problem);
  if (problem)
    return fail(ec::home_unusable, dir_.string() + ": " + problem.message());
  auto config = (dir_ / "config").string();
  auto present = git_.run({dir_,
                           {"config", "--file", config, "--get-regexp",
                            "^(ao\\.layout|remote\\.origin\\.url)$"}});
  if (!present)
    return fail(present.error());
  // What is written last vouches for the rest.
  if (present->out.find("ao.layout " + std::string{layout} + "\n")
        != std::string::npos
      && present->out.find("remote.origin.url " + origin_ + "\n")
        != std::string::npos)
    return {};
  auto made = git_.ask(
    {dir_, {"init", "--quiet", "--bare", "--template=", dir_.string()}});
  if (!made)
    return fail(made.error());
  // A bare repository's `core.bare` would be inherited by its worktrees, so it
  // moves into the main worktree's own file.
  const std::vector<std::vector<std::string>> settings{
    {"--file", (dir_ / "config.worktree").string(), "core.bare", "true"},
    {"--file", config, "extensions.worktreeConfig", "true"},
    {"--file", config, "gc.auto", "0"},
    {"--file", config, "maintenance.auto", "false"},
    {"--file", config, "core.logAllRefUpdates", "true"},
    {"--file", config, "remote.origin.url", origin_},
    {"--file", config, "--replace-all", "remote.origin.fetch",
     "+refs/heads/*:refs/remotes/origin/*"},
    {"--file", config, "remote.pushDefault", "origin"},
    {"--file", config, "ao.layout", layout},
  };
  for (const auto& setting : settings) {
    git_call call{dir_, {"config"}};
    call.args.insert(call.args.end(), setting.begin(), setting.end());
    if (auto done = git_.ask(call); !done)
      return fail(done.error());
  }
  git_call unset{dir_, {"config", "--file", config, "--unset", "core.bare"}};
  auto end = git_.run(unset);
  if (!end)
    return fail(end.error());
  constexpr int was_not_set = 5;
  if (end->code != 0 && end->code != was_not_set)
    return fail(git_failure(unset, *end));
  return {};
}

result<void> repository_cache::fetch(milliseconds limit) {
  std::uint64_t begun = 0;
  {
    std::lock_guard guard{fetch_state_};
    begun = fetches_begun_;
  }
  std::lock_guard exclusive{metadata_};
  std::uint64_t mine = 0;
  {
    std::lock_guard guard{fetch_state_};
    // One that began after this call has seen all that this one would see.
    if (fetch_done_ > begun)
      return last_fetch_;
    mine = ++fetches_begun_;
  }
  auto before = before_fetch_ ? before_fetch_() : result<void>{};
  git_call call{dir_,
                {"fetch", "--quiet", "--prune", "--no-write-fetch-head",
                 "--no-auto-maintenance", "--update-shallow", "origin"}};
  call.scope = git_scope::users;
  call.limit = limit;
  auto git = guard();
  result<std::string> out = fail(ec::git_failed, "");
  if (!before)
    out = fail(before.error());
  else if (git)
    out = git->ask(call);
  else
    out = fail(git.error());
  // A push from a worktree moves the same ref, without our lock.
  for (int tries = 1; git && !out && lost_a_race(out.error()) && tries < 5;
       ++tries)
    out = git->ask(call);
  result<void> answer;
  if (!out)
    answer = fail(out.error());
  std::lock_guard guard{fetch_state_};
  fetch_done_ = mine;
  last_fetch_ = answer;
  return answer;
}

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
    git_call unset{dir_,
                   {"config", "--file", file.string(), "--unset-all", key}};
    auto end = git_.run(unset);
    if (!end)
      return fail(end.error());
    constexpr int was_not_set = 5;
    if (end->code != 0 && end->code != was_not_set)
      return fail(git_failure(unset, *end));
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
  auto found = git->commits_of(
    dir_, {detached ? spec.base : branch_ref(spec.branch), spec.base});
  if (!found)
    return fail(found.error());
  git_call add{dir_, {"worktree", "add", "--quiet", "--no-checkout"}};
  if (detached && found->front()) {
    add.args.insert(add.args.end(),
                    {"--detach", "--", spec.path.string(), *found->front()});
  } else if (found->front()) {
    add.args.insert(add.args.end(), {"--", spec.path.string(), spec.branch});
  } else {
    const auto& base = found->back();
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

result<worktree_state>
repository_cache::inspect(const fs::path& worktree) const {
  worktree_state state;
  auto git_dir = git_dir_of(worktree);
  if (!git_dir)
    return fail(git_dir.error());
  auto git = guard(worktree, depth::files);
  if (!git)
    return fail(git.error());
  auto head = git->commit_of(worktree, "HEAD");
  if (!head)
    return fail(head.error());
  state.head = head->value_or("");
  git_call symbolic{worktree, {"symbolic-ref", "--quiet", "HEAD"}};
  auto branch = git->run(symbolic);
  if (!branch)
    return fail(branch.error());
  constexpr int detached = 1;
  if (branch->code == 0)
    state.branch = without_heads(one_line(branch->out));
  else if (branch->code != detached)
    return fail(git_failure(symbolic, *branch));
  git_call call{worktree,
                {"status", "--porcelain=v1", "--untracked-files=normal",
                 "--no-renames", "--ignore-submodules=none"}};
  call.scope = git_scope::users;
  call.limit = milliseconds{300'000};
  auto status = git->ask(call);
  if (!status)
    return fail(status.error());
  state.dirty = !status->empty();
  state.status_text = capped(*status);
  state.operation = operation_in(*git_dir);
  return state;
}

result<std::size_t> repository_cache::ahead_of(const fs::path& worktree,
                                               std::string_view base) const {
  auto git = guard(worktree);
  if (!git)
    return fail(git.error());
  auto from = git->commit_of(worktree, base);
  if (!from)
    return fail(from.error());
  auto head = git->commit_of(worktree, "HEAD");
  if (!head)
    return fail(head.error());
  if (!*head)
    return 0;
  git_call call{worktree, {"rev-list", "--count", **head}};
  if (*from)
    call.args.push_back("^" + **from);
  auto line = git->ask_line(call);
  if (!line)
    return fail(line.error());
  return leading_number(*line);
}

result<std::vector<hunk>>
repository_cache::live_hunks(const fs::path& worktree,
                             std::string_view base) const {
  auto git = guard(worktree);
  if (!git)
    return fail(git.error());
  auto head = git->commit_of(worktree, "HEAD");
  if (!head)
    return fail(head.error());
  auto from = git->commit_of(worktree, base);
  if (!from)
    return fail(from.error());
  if (!*head || !*from)
    return std::vector<hunk>{};
  git_call fork{worktree, {"merge-base", **head, **from}};
  auto since = git->run(fork);
  if (!since)
    return fail(since.error());
  constexpr int unrelated = 1;
  if (since->code == unrelated)
    return std::vector<hunk>{};
  if (since->code != 0)
    return fail(git_failure(fork, *since));
  git_call changed{worktree, plain_diff()};
  changed.args.insert(
    changed.args.end(),
    {"--unified=0", "--ignore-submodules=all", one_line(since->out), "--"});
  changed.scope = git_scope::users;
  auto diff = git->ask(changed);
  if (!diff)
    return fail(diff.error());
  git_call untracked{worktree,
                     {"ls-files", "-z", "--others", "--exclude-standard"}};
  untracked.scope = git_scope::users;
  auto added = git->ask(untracked);
  if (!added)
    return fail(added.error());
  auto hunks = parse_hunks(*diff);
  for (auto& path : split_nul(*added))
    hunks.push_back({std::move(path), 0, 0});
  return hunks;
}

result<git_end> repository_cache::try_push(const git_runner& git,
                                           const fs::path& worktree,
                                           const std::string& branch,
                                           const git_call& how) const {
  auto ref = branch_ref(branch);
  auto known = git.commit_of(worktree, "refs/remotes/origin/" + branch);
  if (!known)
    return fail(known.error());
  if (*known) {
    // Ours is what the branch has or once had. (git's --force-if-includes
    // asks the same but gives up at entries older than the last fetch.)
    auto has = git.contains(worktree, **known, ref);
    if (!has)
      return fail(has.error());
    auto had = git.ask(
      {worktree, {"log", "--walk-reflogs", "--format=%H", ref, "--"}});
    if (!had)
      return fail(had.error());
    if (!*has && had->find(**known) == std::string::npos)
      return fail(ec::ref_moved, branch + " was moved at origin by another");
  }
  auto call = how;
  call.args = {"push", "--porcelain",
               "--force-with-lease=" + ref + ":" + known->value_or(""),
               "origin", ref + ":" + ref};
  return git.run(call);
}

result<std::string> repository_cache::push(
  const fs::path& worktree, std::string_view branch,
  const std::vector<std::pair<std::string, std::string>>& env,
  milliseconds limit) {
  if (!valid_branch(branch))
    return fail(ec::bad_input, "not a name of a branch: " + one_line(branch));
  std::string name{branch};
  auto git = guard(worktree);
  if (!git)
    return fail(git.error());
  auto head = git->commit_of(worktree, branch_ref(branch));
  if (!head)
    return fail(head.error());
  if (!*head)
    return fail(ec::bad_input, name + " has no commit");
  git_call call{worktree, {"push"}, {}, env, git_scope::users, limit};
  auto end = try_push(*git, worktree, name, call);
  if (end && was_overtaken(*end)) {
    // Or it was cut before it was noted here.
    if (auto news = fetch(limit); !news)
      return fail(news.error());
    end = try_push(*git, worktree, name, call);
  }
  if (!end)
    return fail(end.error());
  if (end->code != 0)
    return fail(push_failure(call, *end));
  // The agent may have committed in between: what origin took is what counts.
  auto taken
    = git->commit_of(worktree, "refs/remotes/origin/" + std::string{branch});
  if (!taken)
    return fail(taken.error());
  return taken->value_or(**head);
}

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
