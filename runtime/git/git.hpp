#pragma once

#include "messages/error.hpp"
#include "messages/time.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ao {

/// Whose configuration a git command sees besides that of its repository.
enum class git_scope {
  /// None: the command is about objects and refs of our own repositories.
  ours,
  /// The user's global one: the command dials the user's remote, reads the
  /// user's checkout, or must see a worktree as the agent sees it.
  users,
};

/// One git command.
struct git_call {
  /// Where it runs.
  std::filesystem::path dir;

  /// The verb and what follows it; each an argument of its own.
  std::vector<std::string> args;

  /// What it reads from its standard input.
  std::string input = {};

  /// Added to the environment (which otherwise has no `GIT_*` but ours).
  std::vector<std::pair<std::string, std::string>> env = {};

  git_scope scope = git_scope::ours;

  /// How long it may take before it is killed with all below it.
  milliseconds limit{60'000};
};

/// How a git command ended.
struct git_end {
  int code = 0;
  std::string out;
  std::string err;
};

/// An author or committer.
struct git_person {
  std::string name;
  std::string email;
};

/// Runs git safely: an argument vector, never a shell; an environment without
/// inherited `GIT_*` variables and without prompts; no hooks, no fsmonitor, no
/// `ext` transport, no editor, no pager, no automatic maintenance, no signing,
/// whatever the configuration of the repository says. Blocking; holds no
/// state, so it may be copied and used from any thread.
class git_runner {
public:
  explicit git_runner(std::string program = "git");

  /// The same with further variables for each command; those of a call win.
  git_runner
  with(std::vector<std::pair<std::string, std::string>> variables) const;

  /// Runs the command to its end, whatever its exit status. Errors:
  /// `program_missing`, `timed_out`, `process_failed`; `git_failed` when it
  /// was killed by a signal.
  result<git_end> run(const git_call& call) const;

  /// Runs the command, which must exit 0; its standard output. Errors: as
  /// above, and `git_failed: git <verb>: <last line of its stderr>`.
  result<std::string> ask(const git_call& call) const;

  /// As `ask`, without the newline at the end.
  result<std::string> ask_line(const git_call& call) const;

  /// The object that `rev` names, peeled to a commit; none when it does not
  /// exist. `rev` is a full ref, `HEAD` or an object name.
  result<std::optional<std::string>> commit_of(const std::filesystem::path& dir,
                                               std::string_view rev) const;

  /// The same of several at once, in their order.
  result<std::vector<std::optional<std::string>>>
  commits_of(const std::filesystem::path& dir,
             const std::vector<std::string>& revs) const;

  /// Whether commit `ancestor` is `descendant` or reachable from it.
  result<bool> contains(const std::filesystem::path& dir,
                        std::string_view ancestor,
                        std::string_view descendant) const;

  /// Moves `ref` from `expected_old` (`zero_oid()`: must not exist) to
  /// `target` in one step (`zero_oid()`: deletes it). A ref that is at
  /// `target` already is left, so that the call can be repeated after a crash.
  /// Errors: `ref_moved` with the detail `actual`, `bad_input`, `git_failed`.
  result<void> move_ref(const std::filesystem::path& dir, std::string_view ref,
                        std::string_view target, std::string_view expected_old,
                        std::string_view why) const;

  /// The user's global identity, none when name or e-mail is not set.
  result<std::optional<git_person>> users_identity() const;

private:
  std::string program_;
  std::vector<std::pair<std::string, std::string>> variables_;
};

/// `git_failed: git <verb>: <last line of stderr>`.
error git_failure(const git_call& call, const git_end& end);

/// The number that `text` begins with; 0 when there is none.
std::uint64_t leading_number(std::string_view text);

/// Pieces of a NUL-separated output.
std::vector<std::string> split_nul(std::string_view text);

} // namespace ao
