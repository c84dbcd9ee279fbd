#pragma once

#include "messages/error.hpp"

#include <sys/types.h>

#include <string>

namespace ao {

/// Where everything lives (CONTRACT §7). A value; makes and checks nothing.
class home {
public:
  /// @param root Absolute path of the home.
  /// @param run_dir Where sockets are: `<root>/run` or its short substitute.
  home(std::string root, std::string run_dir);

  const std::string& root() const { return root_; }

  /// The directory of the sockets; short enough for `sun_path`.
  const std::string& run_dir() const { return run_dir_; }

  std::string database() const { return root_ + "/ao.db"; }
  std::string config() const { return root_ + "/config.yaml"; }
  std::string secret() const { return root_ + "/secret"; }
  /// What programs on the TCP address of the API show.
  std::string api_token() const { return root_ + "/api.token"; }
  /// Locked by the hub while it lives; in the home itself, because the
  /// substitute of `run/` may be wiped under a living hub.
  std::string lock() const { return root_ + "/hub.lock"; }
  std::string pid_file() const { return run_dir_ + "/hub.pid"; }
  std::string hub_socket() const { return run_dir_ + "/hub.sock"; }
  std::string agent_socket() const { return run_dir_ + "/agent.sock"; }
  std::string tmux_socket(unsigned k) const;
  std::string shim_socket(const std::string& session) const;
  std::string repos() const { return root_ + "/repos"; }
  std::string forge() const { return root_ + "/forge"; }
  std::string worktrees() const { return root_ + "/worktrees"; }
  std::string sessions() const { return root_ + "/sessions"; }
  std::string ci() const { return root_ + "/ci"; }
  std::string logs() const { return root_ + "/logs"; }
  std::string hub_log() const { return root_ + "/logs/hub.log"; }
  std::string tls() const { return root_ + "/tls"; }

private:
  std::string root_;
  std::string run_dir_;
};

/// The home that the environment names: `$AO_HOME`, else `~/.ao` (the home
/// directory of the user database when HOME is unset). `~/` at the front is
/// the user's. Relative paths are taken from the working directory.
std::string home_path_from_environment();

/// Longest path of the directory of the sockets; a longer one moves to
/// `$XDG_RUNTIME_DIR/ao-<8 hex>`, else `<temp>/ao-<8 hex>`, and `run` becomes
/// a link to it. (`sun_path` holds 107 bytes.)
constexpr std::size_t longest_run_dir = 60;

/// Makes the home (0700) and its directories where they are missing, checks
/// owner, mode and that it can be written. An existing link `run` that is
/// usable is kept, so that processes with different environments agree.
/// Errors: `home_unusable` with the path, what is wrong and the remedy.
result<home> open_home(const std::string& path);

/// The same paths without making or checking anything: for a client, and for
/// what must work without a home.
home locate_home(const std::string& path);

/// Checks that `path` is a directory of this user and nobody else's
/// (0700 or stricter). Errors: `home_unusable`.
result<void> check_private_directory(const std::string& path);

} // namespace ao
