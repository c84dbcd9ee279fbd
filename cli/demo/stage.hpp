#pragma once

#include "cli/demo/gateway.hpp"
#include "cli/demo/scenario.hpp"
#include "messages/error.hpp"
#include "runtime/home/home.hpp"
#include "runtime/process/process.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace ao::cli::demo {

/// What an `ao` of the demo printed, and how it ended.
struct answer {
  int code = 0;
  /// Its `--json` object; null when it printed none.
  nlohmann::json body;
  std::string err;
};

/// The demo's private place: a home of its own and, in `<home>/demo`, the
/// sample repository, the agent with its recipes, the configuration, the gates
/// and a home directory without the user's settings. Nothing of the user is
/// read or written.
class stage {
public:
  /// Makes the directory, empty. Errors: `home_unusable`; `bad_input` when
  /// `wanted` is not empty.
  /// @param wanted The home; empty = a new one below the temp directory.
  /// @param programs The directory of `ao`.
  static result<stage> make(const std::string& wanted, std::string programs);

  /// Fills it. Errors: `home_unusable`, `git_failed`, `program_missing`.
  /// @param phone Where the notifications go.
  /// @param open Gates that stand open from the beginning.
  /// @param door The port of loopback where nodes join; 0 = none do.
  result<void>
  furnish(const scenario& what, unsigned parallel, const gateway& phone,
          const std::vector<std::string>& open, std::uint16_t door = 0);

  /// Where the hub lives; its run directory is known once it is started.
  home where() const { return locate_home(root_); }
  const std::string& root() const { return root_; }
  /// `<home>/demo`.
  std::string directory() const { return root_ + "/demo"; }

  /// Runs `ao <words> --json`. An exit code of `ao` is an answer, not an
  /// error. Errors: those of `ao::run`.
  result<answer> ask_ao(std::vector<std::string> words,
                        milliseconds deadline = milliseconds{30'000}) const;

  /// Starts `ao <words>`, its standard output captured.
  result<child> start_ao(std::vector<std::string> words) const;

  /// The home of a node.
  std::string node_home(const std::string& name) const {
    return root_ + "/nodes/" + name;
  }

  /// Runs `ao-node <words>` in its home to its end. Errors: those of
  /// `ao::run`.
  result<finished> run_node(const std::string& name,
                            std::vector<std::string> words,
                            milliseconds deadline) const;

  /// Starts it; what it prints goes to `run.log` of its home.
  result<child> start_node(const std::string& name,
                           std::vector<std::string> words) const;

  /// Runs another program in `cwd` with the same environment.
  result<finished> run_in(const std::string& cwd, std::vector<std::string> argv,
                          milliseconds deadline) const;

  /// Lets through whoever waits at the gate, now and later. Errors:
  /// `home_unusable`.
  result<void> open_gate(const std::string& name);

  /// Removes everything. Errors: `home_unusable`.
  result<void> strike();

private:
  stage(std::string root, std::string programs);

  process_spec spec_of(std::vector<std::string> words) const;
  process_spec node_spec(const std::string& name,
                         std::vector<std::string> words) const;
  result<void> make_repository() const;

  std::string root_;
  std::string programs_;
  std::vector<std::string> environment_;
  /// Held open, so that a gate stays open.
  std::vector<unique_fd> gates_;
};

} // namespace ao::cli::demo
