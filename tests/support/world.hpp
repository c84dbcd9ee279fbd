#pragma once

#include "messages/error.hpp"
#include "messages/time.hpp"
#include "runtime/http/client.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"
#include "tests/support/small_disk.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ao {

/// What a world begins with.
struct world_options {
  /// Top-level lines of `ao.yaml` beside `defaults`, `agents`, `projects`;
  /// those here speed a test up and switch the host's state off.
  std::string settings = "limits: {sessions: 64, spawnsPerMinute: 0, "
                         "minFreeMemory: 1MiB, minFreeDisk: 1MiB}\n"
                         "restart: {delay: 50ms, maxDelay: 200ms}\n"
                         "breaker: {halfOpen: 300ms, probation: 300ms, "
                         "stagger: 20ms}\n";

  /// Further members of project `app`, as `, key: value`.
  std::string project;

  /// Everything runs as a user who is not root, whom modes of files stop; see
  /// `can_be_unprivileged`.
  bool unprivileged = false;

  /// Bytes of a disk of its own for `AO_HOME`; 0 = none. Not everywhere
  /// allowed, see `small_disk::allowed`.
  std::uint64_t disk = 0;

  /// Words in front of `ao`, as those of `network_hosts`.
  std::vector<std::string> within = {};
};

/// How `ao` is to be called, where it matters.
struct ao_call {
  /// Variables beside those of the world; an empty value unsets.
  std::map<std::string, std::string> env = {};
  /// The working directory; the checkout when empty.
  std::filesystem::path cwd = {};
  /// Standard input.
  std::string input = {};
};

/// A user's machine of its own: home directory, checkout of a repository with
/// a configuration, `AO_HOME`, all below one temporary directory, and `ao` as
/// a process. The destructor stops the hub, ends every process that was
/// started for this world (it is found by its HOME), prints the end of the
/// hub's log if the test has failed, and removes the directory. Worlds know
/// nothing of each other.
class world {
public:
  /// Longest wait for anything; a test that needs it has failed.
  static constexpr milliseconds patience{150'000};

  explicit world(world_options options = {});
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  // -- places -----------------------------------------------------------------

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path home() const { return root_ / "home"; }
  std::filesystem::path checkout() const { return root_ / "app"; }
  std::filesystem::path forge() const { return home() / "forge/app.git"; }
  std::filesystem::path user() const { return root_ / "user"; }
  std::filesystem::path worktree(const std::string& session) const;
  std::string hub_socket() const;

  /// The disk of `AO_HOME`, where one was asked for.
  small_disk& disk() { return *disk_; }

  // -- before the hub ---------------------------------------------------------

  /// Makes agent `name`: a shell script of these lines. `members` are further
  /// ones of its entry, as `, prompt: stdin`. The first is the default.
  void add_agent(const std::string& name, const std::string& script,
                 const std::string& members = {});

  /// Has all programs from now on run with a variable.
  void set_variable(const std::string& name, const std::string& value);

  /// Writes `ao.yaml` for the agents so far; `start` does it too.
  void write_config();

  // -- ao ---------------------------------------------------------------------

  /// Runs `ao` to its end.
  finished ao(std::vector<std::string> words, const ao_call& how = {}) const;

  /// Starts `ao` and returns at once.
  child start_ao(std::vector<std::string> words, const ao_call& how = {}) const;

  /// Runs `ao … --json`, expects success and one JSON document.
  nlohmann::json ask(std::vector<std::string> words,
                     const ao_call& how = {}) const;

  /// `ao start`, which must succeed; the hub's pid. `env` is the hub's, beside
  /// the world's; `words` are further ones.
  pid_t start(const std::map<std::string, std::string>& env = {},
              std::vector<std::string> words = {});

  /// `ao task add`; the new task's id.
  std::string add_task(const std::string& title, const std::string& body = {},
                       std::vector<std::string> more = {}) const;

  /// Ends the hub as `kill -9` does, and waits until it has ended.
  void kill_hub();

  /// What a reboot of the host leaves: nothing that runs, nothing in `run/`,
  /// and files that name another boot.
  void lose_power();

  /// The hub's API, without `ao`.
  http::api_client api() const;

  // -- what happens -----------------------------------------------------------

  using predicate = std::function<bool(const nlohmann::json&)>;

  /// The first event with number above `after` that `wanted` likes, waited
  /// for through the hub's stream. Fails the test and is null at the deadline.
  nlohmann::json await(const predicate& wanted, std::uint64_t after = 0) const;

  /// The first event of this kind and subject (`session:app-1`).
  nlohmann::json await(const std::string& kind, const std::string& subject,
                       std::uint64_t after = 0) const;

  /// Everything that happened so far, by `ao events --json`.
  std::vector<nlohmann::json> events(const std::string& subject = {}) const;

  /// The number of the last event.
  std::uint64_t last_event() const;

  // -- git and files ----------------------------------------------------------

  /// Runs git as the user, expects success; its output without the last
  /// newline.
  std::string git(const std::filesystem::path& dir,
                  std::vector<std::string> words) const;

  /// Runs git as the user or, with variables of a session, as its agent.
  finished try_git(const std::filesystem::path& dir,
                   std::vector<std::string> words,
                   const std::map<std::string, std::string>& env = {}) const;

  /// Makes an empty file in the user's home: agents that wait for it go on.
  void touch(const std::string& file) const;

  /// Waits until there is such a file in the user's home; fails the test at
  /// the deadline.
  void await_file(const std::string& file) const;

  /// Names of the tmux sessions of this home.
  std::vector<std::string> panes() const;

  /// What a person at a session's pane does: a command of tmux with words that
  /// follow its target.
  void at_pane(const std::string& session, const std::string& command,
               const std::vector<std::string>& words = {}) const;

  /// The environment that a session's agent was started with.
  std::map<std::string, std::string>
  environment_of(const std::string& session) const;

  /// Everything the world's processes get.
  environment variables() const;

private:
  /// The words that start `ao`.
  std::vector<std::string> called(std::vector<std::string> words) const;

  std::filesystem::path root_;
  world_options options_;
  std::vector<std::pair<std::string, std::string>> agents_;
  std::map<std::string, std::string> variables_;
  std::optional<small_disk> disk_;
};

/// Why no world can be unprivileged here; empty where one can.
std::string why_not_unprivileged();

/// Waits until this process, which need not be a child of ours, has ended.
void expect_ends(pid_t pid);

/// Waits until a file is there, or is not, in a directory that is; fails the
/// test at the deadline.
void await_file(const std::filesystem::path& file, bool there = true);

/// The bytes of a file; fails the test when it cannot be read.
std::string content_of(const std::filesystem::path& file);

} // namespace ao
