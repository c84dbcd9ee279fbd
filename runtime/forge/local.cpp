#include "runtime/forge/local.hpp"

#include "runtime/git/hunks.hpp"
#include "runtime/git/names.hpp"
#include "runtime/git/tree.hpp"
#include "runtime/io/fd.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

namespace ao {
namespace {

namespace fs = std::filesystem;

/// Grows when `configure` writes something else than before.
constexpr const char* layout = "1";

/// Vouches in a CI checkout that its directory is ours to remove.
constexpr const char* checkout_mark = "ao-checkout";

/// Whether `dir` is ours to remove, be it half made or half removed: our mark
/// is the first that comes into a checkout and the last that leaves it.
bool is_checkout(const fs::path& dir) {
  auto git = dir / ".git";
  if (is_there(git / checkout_mark))
    return true;
  std::error_code problem;
  return holds_nothing_but_git(dir)
    && (!is_there(git) || fs::is_empty(git, problem));
}

result<void> remove_checkout(const fs::path& dir) {
  auto remove_others
    = [](const fs::path& in, const char* kept) -> result<void> {
    std::error_code problem;
    fs::directory_iterator entry{in, problem};
    for (; !problem && entry != fs::directory_iterator{};
         entry.increment(problem))
      if (entry->path().filename() != kept)
        if (auto gone = remove_tree(entry->path()); !gone)
          return gone;
    return {};
  };
  if (auto gone = remove_others(dir, ".git"); !gone)
    return gone;
  if (auto gone = remove_others(dir / ".git", checkout_mark); !gone)
    return gone;
  return remove_tree(dir);
}

constexpr milliseconds long_limit{600'000};

/// What the log of the base says about the merge of a change.
std::string move_reason(const change_id& change) {
  return "merge queue: " + one_line(change.text);
}

/// How far back a merge of ours is looked for.
constexpr const char* recent = "--max-count=2000";

std::string git_date(wall_time t) {
  auto seconds
    = std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch());
  return "@" + std::to_string(seconds.count()) + " +0000";
}

using variables = std::vector<std::pair<std::string, std::string>>;

variables author_env(const git_person& who, std::string date) {
  return {{"GIT_AUTHOR_NAME", who.name.empty() ? "unknown" : who.name},
          {"GIT_AUTHOR_EMAIL", who.email},
          {"GIT_AUTHOR_DATE", std::move(date)}};
}

variables committer_env(const merge_author& who) {
  return {
    {"GIT_COMMITTER_NAME", who.person.name.empty() ? "ao" : who.person.name},
    {"GIT_COMMITTER_EMAIL", who.person.email},
    {"GIT_COMMITTER_DATE", git_date(who.at)}};
}

variables both(variables a, variables b) {
  a.insert(a.end(), std::make_move_iterator(b.begin()),
           std::make_move_iterator(b.end()));
  return a;
}

error conflict(std::vector<std::string> files) {
  constexpr std::size_t named = 5;
  error e{ec::merge_conflict, "conflict in "};
  for (std::size_t i = 0; i < files.size(); ++i) {
    // Details travel in JSON, which is UTF-8.
    if (!valid_utf8(files[i]))
      files[i] = one_line(files[i]);
    if (i < named)
      e.context += (i == 0 ? "" : ", ") + one_line(files[i]);
    e.details.emplace_back("file", files[i]);
  }
  if (files.size() > named)
    e.context += " and " + std::to_string(files.size() - named) + " more";
  return e;
}

} // namespace

local_forge::local_forge(git_runner git, fs::path dir, std::string base,
                         hook_target hooks)
    : git_(std::move(git)),
      dir_(std::move(dir)),
      base_(std::move(base)),
      hooks_(std::move(hooks)) {}

result<void> local_forge::configure() {
  auto config = (dir_ / "config").string();
  auto present = git_.run({dir_, {"config", "--file", config, "ao.layout"}});
  if (!present)
    return fail(present.error());
  if (present->out == std::string{layout} + "\n")
    return {};
  const std::pair<const char*, std::string> settings[] = {
    // The fence, whatever the pusher's own configuration says.
    {"core.hooksPath", (dir_ / "hooks").string()},
    {"core.logAllRefUpdates", "true"},
    {"core.fsync", "committed"},
    {"gc.auto", "0"},
    {"maintenance.auto", "false"},
    {"receive.autogc", "false"},
    {"receive.fsckObjects", "true"},
    {"receive.denyDeletes", "true"},
    // A session may rewrite its own branch; the hook knows whose it is.
    {"receive.denyNonFastForwards", "false"},
    {"receive.advertisePushOptions", "true"},
    // The user's checkout may be a shallow clone.
    {"receive.shallowUpdate", "true"},
    {"transfer.hideRefs", "refs/ao"},
    {"uploadpack.allowAnySHA1InWant", "true"},
    {"ao.layout", layout},
  };
  for (const auto& [key, value] : settings)
    if (auto done = git_.ask({dir_, {"config", "--file", config, key, value}});
        !done)
      return fail(done.error());
  return {};
}

result<void> local_forge::seed(const fs::path& checkout) {
  if (!valid_branch(base_))
    return fail(ec::bad_input, "not a name of a branch: " + one_line(base_));
  if (!checkout.is_absolute())
    return fail(ec::bad_input, "a checkout needs an absolute path");
  std::lock_guard guard{writing_};
  git_call look{
    checkout,
    {"rev-parse", "--verify", "--quiet", branch_ref(base_) + "^{commit}"}};
  look.scope = git_scope::users;
  if (!is_there(checkout))
    return fail(ec::no_repository, "no repository at " + checkout.string());
  auto head = git_.run(look);
  if (!head)
    return fail(head.error());
  if (head->code != 0)
    return fail(ec::no_repository,
                head->err.empty()
                  ? "branch " + base_ + " has no commit in " + checkout.string()
                  : checkout.string() + ": "
                    + git_failure(look, *head).context);
  std::error_code problem;
  fs::create_directories(dir_, problem);
  if (problem)
    return fail(ec::home_unusable, dir_.string() + ": " + problem.message());
  auto config = (dir_ / "config").string();
  auto seeded = git_.run({dir_, {"config", "--file", config, "ao.seeded"}});
  if (!seeded)
    return fail(seeded.error());
  if (seeded->code != 0) {
    auto made = git_.ask(
      {dir_, {"init", "--quiet", "--bare", "--template=", dir_.string()}});
    if (!made)
      return fail(made.error());
  }
  for (const auto* name : {"pre-receive", "post-receive"})
    if (auto done = install_hook(dir_ / "hooks", name, hooks_); !done)
      return done;
  if (auto done = configure(); !done)
    return done;
  if (auto done = git_.ask({dir_, {"symbolic-ref", "HEAD", branch_ref(base_)}});
      !done)
    return fail(done.error());
  if (seeded->code == 0)
    return {};
  git_call fetch{dir_,
                 {"fetch", "--quiet", "--no-write-fetch-head",
                  "--no-auto-maintenance", "--update-shallow", "--",
                  checkout.string(), "+refs/heads/*:refs/heads/*",
                  "+refs/tags/*:refs/tags/*"}};
  fetch.scope = git_scope::users;
  fetch.limit = long_limit;
  if (auto done = git_.ask(fetch); !done)
    return fail(done.error());
  auto noted
    = git_.ask({dir_, {"config", "--file", config, "ao.seeded", "true"}});
  if (!noted)
    return fail(noted.error());
  return {};
}

result<base_sync> local_forge::sync_base(const fs::path& checkout) {
  std::lock_guard guard{writing_};
  auto seen = "refs/ao/checkout/" + base_;
  git_call fetch{dir_,
                 {"fetch", "--quiet", "--no-write-fetch-head",
                  "--no-auto-maintenance", "--update-shallow", "--",
                  checkout.string(), "+" + branch_ref(base_) + ":" + seen}};
  fetch.scope = git_scope::users;
  fetch.limit = long_limit;
  if (auto done = git_.ask(fetch); !done)
    return fail(done.error());
  auto theirs = git_.commit_of(dir_, seen);
  if (!theirs)
    return fail(theirs.error());
  if (!*theirs)
    return fail(ec::no_repository,
                "branch " + base_ + " has no commit in " + checkout.string());
  auto ours = head_of(base_);
  if (!ours)
    return fail(ours.error());
  base_sync sync{base_sync::state::same, ours->value_or(""), **theirs};
  if (*ours == *theirs)
    return sync;
  if (*ours) {
    auto merged_here = contains(**theirs, **ours);
    if (!merged_here)
      return fail(merged_here.error());
    sync.what = base_sync::state::ahead;
    if (*merged_here)
      return sync;
    auto moved_there = contains(**ours, **theirs);
    if (!moved_there)
      return fail(moved_there.error());
    sync.what = base_sync::state::diverged;
    if (!*moved_there)
      return sync;
  }
  // The merge queue may win the race; it will see the checkout's commits the
  // next time.
  auto moved = git_.move_ref(dir_, branch_ref(base_), **theirs,
                             ours->value_or(zero_oid()), "sync: checkout");
  if (!moved)
    return fail(moved.error());
  sync.what = base_sync::state::advanced;
  sync.ours = **theirs;
  return sync;
}

result<std::string> local_forge::publish(const fs::path& checkout,
                                         const std::string& remote) const {
  git_call where{checkout, {"remote", "get-url", "--push", "--", remote}};
  where.scope = git_scope::users;
  auto url = git_.ask_line(where);
  if (!url)
    return fail(ec::bad_input,
                "forge.publish: " + checkout.string() + " has no remote "
                  + one_line(remote) + "; git remote -v lists them");
  auto base = head_of(base_);
  if (!base)
    return fail(base.error());
  if (!*base)
    return fail(ec::no_repository, "the forge has no branch " + base_);
  // From the checkout, so that a relative address means what it means there.
  git_call push{checkout,
                {"--git-dir=" + fs::absolute(dir_).string(), "push", "--quiet",
                 "--", *url, **base + ":" + branch_ref(base_)}};
  push.scope = git_scope::users;
  push.limit = long_limit;
  if (auto done = git_.ask(push); !done)
    return fail(done.error());
  return **base;
}

result<std::optional<std::string>>
local_forge::head_of(std::string_view branch) const {
  if (!valid_branch(branch))
    return fail(ec::bad_input, "not a name of a branch: " + one_line(branch));
  return git_.commit_of(dir_, branch_ref(branch));
}

result<std::map<std::string, std::string>> local_forge::heads() const {
  auto out
    = git_.ask({dir_,
                {"for-each-ref", "--format=%(objectname)%(refname:lstrip=2)",
                 "refs/heads/"}});
  if (!out)
    return fail(out.error());
  std::map<std::string, std::string> heads;
  auto oid = zero_oid().size();
  std::istringstream lines{*out};
  for (std::string line; std::getline(lines, line);)
    if (line.size() > oid)
      heads.emplace(line.substr(oid), line.substr(0, oid));
  return heads;
}

result<bool> local_forge::contains(std::string_view ancestor,
                                   std::string_view descendant) const {
  return git_.contains(dir_, ancestor, descendant);
}

result<std::string> local_forge::merge_base(std::string_view base,
                                            std::string_view head) const {
  if (!valid_oid(base) || !valid_oid(head))
    return fail(ec::bad_input, "not an object name");
  git_call call{dir_, {"merge-base", std::string{base}, std::string{head}}};
  auto end = git_.run(call);
  if (!end)
    return fail(end.error());
  constexpr int none = 1;
  if (end->code == none)
    return std::string{base};
  if (end->code != 0)
    return fail(git_failure(call, *end));
  return one_line(end->out);
}

result<std::size_t> local_forge::ahead(std::string_view base,
                                       std::string_view head) const {
  if (!valid_oid(base) || !valid_oid(head))
    return fail(ec::bad_input, "not an object name");
  auto count = git_.ask_line(
    {dir_,
     {"rev-list", "--count", std::string{head}, "^" + std::string{base}}});
  if (!count)
    return fail(count.error());
  return leading_number(*count);
}

result<std::string> local_forge::diff(std::string_view base,
                                      std::string_view head,
                                      std::vector<std::string> how) const {
  if (!valid_oid(base) || !valid_oid(head))
    return fail(ec::bad_input, "not an object name");
  git_call call{dir_, plain_diff()};
  call.args.insert(call.args.end(), how.begin(), how.end());
  call.args.push_back(std::string{base} + "..." + std::string{head});
  return git_.ask(call);
}

result<diff_stat> local_forge::diffstat(std::string_view base,
                                        std::string_view head) const {
  auto out = diff(base, head, {"--numstat", "-z"});
  if (!out)
    return fail(out.error());
  diff_stat stat;
  for (const auto& line : split_nul(*out)) {
    auto first = line.find('\t');
    auto second = line.find('\t', first + 1);
    if (second == std::string::npos)
      continue;
    file_change file;
    file.path = line.substr(second + 1);
    file.binary = line.front() == '-';
    file.added = leading_number(std::string_view{line}.substr(0, first));
    file.removed = leading_number(std::string_view{line}.substr(first + 1));
    stat.added += file.added;
    stat.removed += file.removed;
    stat.files.push_back(std::move(file));
  }
  return stat;
}

result<std::vector<hunk>>
local_forge::changed_hunks(std::string_view base, std::string_view head) const {
  auto out = diff(base, head, {"--unified=0"});
  if (!out)
    return fail(out.error());
  return parse_hunks(*out);
}

result<std::optional<std::string>>
local_forge::find_merge(std::string_view branch,
                        const change_id& change) const {
  auto head = head_of(branch);
  if (!head)
    return fail(head.error());
  if (!*head)
    return std::nullopt;
  auto moved = find_move(branch, **head, change);
  if (!moved || *moved)
    return moved;
  auto out = git_.ask(
    {dir_,
     {"log", "-z", "--first-parent", recent,
      "--format=%H %s%n%(trailers:key=Ao-Epoch,valueonly)", **head}});
  if (!out)
    return fail(out.error());
  auto mark = " (" + change.text + ")";
  for (const auto& entry : split_nul(*out)) {
    auto line = std::string_view{entry}.substr(0, entry.find('\n'));
    auto trailer = std::string_view{entry}.substr(line.size());
    if (line.size() > mark.size()
        && line.substr(line.size() - mark.size()) == mark
        && trailer.find_first_not_of('\n') != std::string_view::npos)
      return std::string{line.substr(0, line.find(' '))};
  }
  return std::nullopt;
}

result<std::optional<std::string>>
local_forge::find_move(std::string_view branch, std::string_view head,
                       const change_id& change) const {
  auto out = git_.ask({dir_,
                       {"log", "-z", "--walk-reflogs", recent,
                        "--format=%H %gs", branch_ref(branch), "--"}});
  if (!out)
    return fail(out.error());
  auto why = move_reason(change);
  for (const auto& entry : split_nul(*out)) {
    auto space = entry.find(' ');
    if (space == std::string::npos || entry.substr(space + 1) != why)
      continue;
    auto moved_to = entry.substr(0, space);
    // The log is written before the branch is moved.
    auto there = contains(moved_to, head);
    if (!there)
      return fail(there.error());
    if (*there)
      return moved_to;
  }
  return std::nullopt;
}

result<void> local_forge::clean_checkout(std::string_view sha,
                                         const fs::path& dir,
                                         milliseconds limit) const {
  if (!valid_oid(sha))
    return fail(ec::bad_input, "not an object name: " + one_line(sha));
  std::error_code problem;
  if (is_there(dir)) {
    if (!is_checkout(dir))
      return fail(ec::wrong_state, dir.string() + " is not a checkout of ao");
    if (auto gone = remove_checkout(dir); !gone)
      return gone;
  }
  fs::create_directories(dir / ".git", problem);
  // First of all, so that a half-made checkout can be told from a foreign one.
  auto mark = dir / ".git" / checkout_mark;
  if (!std::ofstream{mark})
    return fail(ec::process_failed, "cannot write " + mark.string());
  // Its objects are the forge's; nothing is copied. No remote stays behind for
  // a test to push to.
  auto target = std::string{sha};
  auto objects = dir_ / "objects";
  auto ask = [&](std::vector<std::string> args) {
    git_call call{dir, std::move(args)};
    call.limit = limit;
    return git_.ask(call);
  };
  auto done = ask({"init", "--quiet", "--template="});
  if (!done)
    return fail(done.error());
  fs::create_directories(dir / ".git/objects/info", problem);
  auto alternates
    = write_file_durably((dir / ".git/objects/info/alternates").string(),
                         objects.string() + "\n", 0644);
  if (!alternates)
    return alternates;
  done = ask({"fetch", "--quiet", "--no-write-fetch-head", "--update-shallow",
              "--", dir_.string(), "+refs/tags/*:refs/tags/*",
              "+refs/heads/" + base_ + ":refs/remotes/origin/" + base_});
  if (done)
    done = ask({"checkout", "--quiet", "--force", "--detach", target, "--"});
  if (!done)
    return fail(done.error());
  return {};
}

result<std::string> local_forge::tree_of(std::string_view commit) const {
  return git_.ask_line(
    {dir_, {"rev-parse", "--verify", std::string{commit} + "^{tree}"}});
}

result<std::string> local_forge::merge_trees(std::string_view ours,
                                             std::string_view theirs) const {
  git_call call{dir_,
                {"merge-tree", "--write-tree", "-z", "--name-only",
                 "--no-messages", std::string{ours}, std::string{theirs}}};
  call.limit = long_limit;
  auto end = git_.run(call);
  if (!end)
    return fail(end.error());
  auto pieces = split_nul(end->out);
  if (end->code == 0 && pieces.size() == 1)
    return pieces.front();
  constexpr int conflicts = 1;
  if (end->code != conflicts || pieces.size() < 2)
    return fail(git_failure(call, *end));
  pieces.erase(pieces.begin());
  return fail(conflict(std::move(pieces)));
}

result<std::string>
local_forge::commit_tree(std::string_view tree,
                         const std::vector<std::string>& parents,
                         std::string_view message, const variables& who) const {
  git_call call{dir_, {"commit-tree", std::string{tree}}};
  for (const auto& parent : parents)
    call.args.insert(call.args.end(), {"-p", parent});
  // `run` gives no input at all for an empty text.
  call.input = message.empty() ? "\n" : std::string{message};
  call.env = who;
  return git_.ask_line(call);
}

result<std::string> local_forge::pick(std::string_view commit,
                                      std::string_view onto,
                                      const merge_author& committer) const {
  auto about = git_.ask(
    {dir_,
     {"log", "--max-count=1", "--date=raw",
      "--format=%T%x00%P%x00%an%x00%ae%x00%ad%x00%B", std::string{commit}}});
  if (!about)
    return about;
  auto fields = split_nul(*about);
  if (fields.size() < 5)
    return fail(ec::git_failed, "git log: not a commit");
  fields.resize(6);
  auto& message = fields[5];
  // The newline is the log's, behind the message's own.
  if (!message.empty())
    message.pop_back();
  auto parent = fields[1].substr(0, fields[1].find(' '));
  auto before
    = parent.empty() ? git_.ask_line({dir_, {"mktree"}}) : tree_of(parent);
  if (!before)
    return before;
  auto there = tree_of(onto);
  if (!there)
    return there;
  // merge-tree takes its base from the history: so it gets one in which both
  // sides begin at the picked commit's parent.
  auto plain = both(author_env(committer.person, git_date(committer.at)),
                    committer_env(committer));
  auto fork = commit_tree(*before, {}, "base", plain);
  if (!fork)
    return fork;
  auto ours = commit_tree(*there, {*fork}, "ours", plain);
  if (!ours)
    return ours;
  auto theirs = commit_tree(fields[0], {*fork}, "theirs", plain);
  if (!theirs)
    return theirs;
  auto tree = merge_trees(*ours, *theirs);
  if (!tree)
    return tree;
  auto began_empty = *before == fields[0];
  if (*tree == *there && !began_empty)
    return std::string{onto};
  return commit_tree(*tree, {std::string{onto}}, message,
                     both(author_env({fields[2], fields[3]}, "@" + fields[4]),
                          committer_env(committer)));
}

result<std::string> local_forge::replay(std::string_view base,
                                        std::string_view head,
                                        const merge_author& committer) const {
  auto list = git_.ask({dir_,
                        {"rev-list", "--reverse", "--topo-order", "--no-merges",
                         std::string{head}, "^" + std::string{base}}});
  if (!list)
    return list;
  std::string tip{base};
  std::string_view rest = *list;
  while (!rest.empty()) {
    auto commit = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(commit.size() + 1);
    auto next = pick(commit, tip, committer);
    if (!next)
      return next;
    tip = *next;
  }
  return tip;
}

result<merged>
local_forge::merge_result(std::string_view base, std::string_view head,
                          merge_method method, std::string_view message,
                          const merge_author& author) const {
  if (!valid_oid(base) || !valid_oid(head))
    return fail(ec::bad_input, "not an object name");
  auto base_tree = tree_of(base);
  if (!base_tree)
    return fail(base_tree.error());
  auto head_tree = tree_of(head);
  if (!head_tree)
    return fail(head_tree.error());
  auto answer = [&](std::string commit, std::string tree) {
    auto as_head = tree == *head_tree;
    auto empty = tree == *base_tree;
    return merged{std::move(commit), std::move(tree), as_head, empty};
  };
  auto merged_already = contains(head, base);
  if (!merged_already)
    return fail(merged_already.error());
  if (*merged_already)
    return answer(std::string{base}, *base_tree);
  if (method == merge_method::rebase) {
    auto ahead_only = contains(base, head);
    if (!ahead_only)
      return fail(ahead_only.error());
    if (*ahead_only)
      return answer(std::string{head}, *head_tree);
    auto tip = replay(base, head, author);
    if (!tip)
      return fail(tip.error());
    auto tree = tree_of(*tip);
    if (!tree)
      return fail(tree.error());
    return answer(*tip, *tree);
  }
  auto tree = merge_trees(base, head);
  if (!tree)
    return fail(tree.error());
  std::vector<std::string> parents{std::string{base}};
  if (method == merge_method::merge)
    parents.emplace_back(head);
  auto commit = commit_tree(*tree, parents, message,
                            both(author_env(author.person, git_date(author.at)),
                                 committer_env(author)));
  if (!commit)
    return fail(commit.error());
  return answer(*commit, *tree);
}

result<void>
local_forge::advance(std::string_view branch, std::string_view target,
                     std::string_view expected_old, const change_id& change) {
  if (!valid_branch(branch) || target == zero_oid())
    return fail(ec::bad_input, "cannot advance " + one_line(branch));
  return git_.move_ref(dir_, branch_ref(branch), target, expected_old,
                       move_reason(change));
}

result<void> local_forge::delete_branch(std::string_view branch,
                                        std::string_view expected_old) {
  if (!valid_branch(branch) || branch == base_)
    return fail(ec::bad_input, "cannot delete " + one_line(branch));
  auto head = head_of(branch);
  if (!head)
    return fail(head.error());
  if (!*head)
    return {};
  return git_.move_ref(dir_, branch_ref(branch), zero_oid(), expected_old,
                       "merged");
}

} // namespace ao
