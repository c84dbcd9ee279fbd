#pragma once

#include "tests/support/world.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace ao {

/// A port of loopback that is free together with the one after it.
unsigned free_port_pair();

/// `ao-node` with a home of its own, beside the hub of a world. Ended with the
/// world, as everything that was started for it.
class node_host {
public:
  /// @param name Of its directory; the hub may call it otherwise.
  /// @param within Words in front of `ao-node`, as those of `network_hosts`.
  node_host(const world& w, const std::string& name,
            std::vector<std::string> within = {});

  std::filesystem::path home() const { return home_; }
  std::filesystem::path worktree(const std::string& session) const;

  /// Has `ao-node` from now on run with a variable.
  void set_variable(const std::string& name, const std::string& value);

  /// Runs `ao-node` to its end.
  finished call(std::vector<std::string> words) const;

  /// `ao node token`, then `ao-node join`; both must succeed.
  void join(unsigned port, std::vector<std::string> token_words = {},
            std::vector<std::string> join_words = {},
            const std::string& hub = "127.0.0.1") const;

  /// `ao-node run`, in the background; what it prints goes to `run.log` of its
  /// home.
  void start(std::vector<std::string> words = {});

  /// As `kill -9` does; waits for its end.
  void kill();
  /// As a service manager does; waits for its end.
  void stop();
  /// SIGSTOP and SIGCONT.
  void freeze() const;
  void thaw() const;

  pid_t pid() const { return child_.pid; }
  std::string log() const;

private:
  environment variables() const;

  const world& world_;
  std::filesystem::path home_;
  std::vector<std::string> within_;
  std::map<std::string, std::string> variables_;
  child child_;
};

/// Waits until a node that has joined has told which agents can start there: it
/// gets no session before. Fails the test at the deadline.
void await_open(const world& w, const std::string& node);

/// A world whose hub lets nodes in at this port.
/// @param times Of `cluster:`; those here have nobody lost on a busy machine.
/// @param stop_after `disconnect.stopOnClientAfter`.
/// @param disconnect Further members there, as `, replace: false`.
world_options clustered(unsigned port,
                        const std::string& times
                        = "suspectAfter: 20s, lostAfter: 100s, lease: 110s",
                        const std::string& stop_after = "105s",
                        const std::string& disconnect = {});

} // namespace ao
