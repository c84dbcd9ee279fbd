#include "runtime/git/repository.hpp"

#include "runtime/git/hunks.hpp"
#include "runtime/git/names.hpp"
#include "runtime/git/overtaken.hpp"
#include "runtime/git/repository_parts.hpp"
#include "runtime/git/tree.hpp"

#include <algorithm>
#include <charconv>

namespace ao {

using namespace repository_parts;

namespace {

namespace fs = std::filesystem;

/// Grows when `init` writes something else than before.
constexpr const char* layout = "1";

constexpr std::size_t status_lines = 20;

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

/// What a refused push says to the one who pushed.
error push_failure(const git_call& call, const git_end& end) {
  constexpr std::string_view sign = "ao: push refused: ";
  if (auto at = end.err.find(sign); at != std::string::npos) {
    auto line = one_line(
      std::string_view{end.err}.substr(at, end.err.find('\n', at) - at), 500);
    auto says = [&](std::string_view what) {
      return line.compare(sign.size(), what.size(), what) == 0;
    };
    return error{says("stale ")                 ? ec::stale_epoch
                   : says("lease not provable") ? ec::not_reachable
                                                : ec::push_refused,
                 line};
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
  return unset_key(git_, dir_ / "config", "--unset", "core.bare");
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
  auto answer = before ? fetch_now(limit) : std::move(before);
  std::lock_guard guard{fetch_state_};
  fetch_done_ = mine;
  last_fetch_ = answer;
  return answer;
}

result<void> repository_cache::fetch_now(milliseconds limit) const {
  auto git = guard();
  if (!git)
    return fail(git.error());
  git_call call{dir_,
                {"fetch", "--quiet", "--prune", "--no-write-fetch-head",
                 "--no-auto-maintenance", "--update-shallow", "origin"}};
  call.scope = git_scope::users;
  call.limit = limit;
  auto out = git->ask(call);
  // A push from a worktree moves the same ref, without our lock.
  for (int tries = 1; !out && lost_a_race(out.error()) && tries < 5; ++tries)
    out = git->ask(call);
  return out ? result<void>{} : fail(out.error());
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
  state.changed = static_cast<std::size_t>(
    std::count(status->begin(), status->end(), '\n'));
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

} // namespace ao
