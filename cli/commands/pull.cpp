#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "cli/commands/program.hpp"
#include "runtime/git/git.hpp"

#include <filesystem>

namespace ao::cli {
namespace {

using nlohmann::json;

/// More commits than this are only counted.
constexpr std::size_t most_shown = 20;

/// A project of the hub, as `GET /config` tells it.
struct pulled_project {
  std::string id;
  std::string checkout;
  std::string base;
};

bool is_inside(const std::filesystem::path& where, const std::string& root) {
  auto below = where.lexically_relative(root);
  return !below.empty() && *below.begin() != "..";
}

/// The named project, else the one whose checkout we stand in, else the only
/// one. Errors: `no_such_project`, `bad_input` (which of several).
result<pulled_project> find_project(invocation& what) {
  auto config = what.api().call("GET", api_root + "/config");
  if (!config)
    return fail(config.error());
  std::error_code ignored;
  auto here = std::filesystem::current_path(ignored);
  std::vector<pulled_project> all;
  std::string names;
  for (const auto& row : config->body.value("projects", json::array())) {
    pulled_project one{text_at(row, "id"), text_at(row, "path"),
                       text_at(row, "defaultBranch")};
    if (what.project.empty() ? is_inside(here, one.checkout)
                             : one.id == what.project)
      return one;
    names += (names.empty() ? "" : ", ") + one.id;
    all.push_back(std::move(one));
  }
  if (!what.project.empty())
    return fail(ec::no_such_project,
                "no project is called " + what.project + "; there are "
                  + names);
  if (all.size() == 1)
    return all.front();
  return fail(ec::bad_input, "which project? -p one of " + names);
}

/// git in the person's checkout, with the person's configuration.
class checkout {
public:
  explicit checkout(std::string path) : path_(std::move(path)) {}

  result<std::string> ask(std::vector<std::string> args) const {
    git_call call;
    call.dir = path_;
    call.scope = git_scope::users;
    call.args = std::move(args);
    return git_.ask_line(call);
  }

  result<bool> contains(const std::string& ancestor,
                        const std::string& descendant) const {
    return git_.contains(path_, ancestor, descendant);
  }

  /// How many commits `to` has that `from` has not.
  result<std::string> distance(const std::string& from,
                               const std::string& to) const {
    return ask({"rev-list", "--count", from + ".." + to});
  }

private:
  git_runner git_;
  std::string path_;
};

/// Moves the branch, and the files where it is checked out.
result<void> move_branch(const checkout& git, const pulled_project& project,
                         const std::string& to) {
  auto head = git.ask({"symbolic-ref", "--quiet", "HEAD"});
  if (head && *head == "refs/heads/" + project.base) {
    // As the person would: with their hooks and filters.
    auto merged = run_program(
      {"git", "-C", project.checkout, "merge", "--ff-only", "--quiet", to},
      program_output::shown);
    if (!merged)
      return fail(merged.error());
    if (merged->status != 0)
      return fail(ec::git_failed,
                  "git merge --ff-only exited " + std::to_string(merged->status)
                    + "; its message is above, nothing was changed");
    return {};
  }
  // git refuses where another worktree has it checked out.
  auto moved
    = git.ask({"fetch", "--quiet", ".", to + ":refs/heads/" + project.base});
  if (!moved)
    return fail(moved.error());
  return {};
}

result<error> divergence(const checkout& git, const pulled_project& project,
                         const std::string& ours, const std::string& theirs) {
  auto here = git.distance(theirs, ours);
  auto there = git.distance(ours, theirs);
  if (!here || !there)
    return fail((here ? there : here).error());
  return error{ec::ref_moved,
               project.base + " has " + *here + " commits of its own in "
                 + project.checkout + ", and " + *there
                 + " more at the forge; bring them together with: git -C "
                 + project.checkout + " merge " + theirs.substr(0, 12)};
}

} // namespace

outcome run_pull(invocation& what) {
  auto project = find_project(what);
  if (!project)
    return fail(project.error());
  checkout git{project->checkout};
  auto forge = what.where().forge() + "/" + project->id + ".git";
  auto branch = "refs/heads/" + project->base;
  // Into FETCH_HEAD alone: no ref of ours in the person's repository.
  if (auto got
      = git.ask({"fetch", "--quiet", "--no-tags", "--", forge, branch});
      !got)
    return fail(got.error());
  auto theirs = git.ask({"rev-parse", "--verify", "--quiet", "FETCH_HEAD"});
  auto ours = git.ask({"rev-parse", "--verify", "--quiet", branch});
  if (!theirs || !ours)
    return fail((theirs ? ours : theirs).error());
  auto known = git.contains(*theirs, *ours);
  auto follows = git.contains(*ours, *theirs);
  if (!known || !follows)
    return fail((known ? follows : known).error());
  if (!*known && !*follows) {
    auto apart = divergence(git, *project, *ours, *theirs);
    return fail(apart ? *apart : apart.error());
  }
  auto count = git.distance(*ours, *theirs);
  auto list = git.ask({"log", "--oneline", "--no-decorate",
                       "--max-count=" + std::to_string(most_shown),
                       *ours + ".." + *theirs});
  if (!count || !list)
    return fail((count ? list : count).error());
  if (!*known)
    if (auto moved = move_branch(git, *project, *theirs); !moved)
      return fail(moved.error());
  what.out.document({{"project", project->id},
                     {"branch", project->base},
                     {"from", *ours},
                     {"to", *known ? *ours : *theirs},
                     {"commits", std::stoul(*count)}});
  if (*known) {
    what.out.line(project->base + " of " + project->checkout
                  + " has everything that was merged");
    return 0;
  }
  what.out.line(project->base + ": " + *count + " commits, "
                + ours->substr(0, 12) + ".." + theirs->substr(0, 12));
  for (std::size_t from = 0; from < list->size();) {
    auto end = std::min(list->find('\n', from), list->size());
    what.out.line("  " + list->substr(from, end - from));
    from = end + 1;
  }
  if (std::stoul(*count) > most_shown)
    what.out.line("  …");
  return 0;
}

} // namespace ao::cli
