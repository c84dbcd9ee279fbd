#pragma once

#include "cli/command.hpp"
#include "runtime/config/load.hpp"
#include "runtime/home/home.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ao::cli {

enum class verdict { pass, warn, fail };

/// What one look at the host has found.
struct finding {
  std::string name;
  verdict how = verdict::pass;
  std::string detail;
  /// What a person does about it.
  std::string remedy = {};
  /// Does that, where it changes nothing but what is broken; `ao doctor --fix`
  /// looks again afterwards. Empty = only a person can.
  std::function<result<void>()> fix = {};
};

/// One look; made again after a repair.
using check = std::function<finding()>;

/// Programs and their versions; limits of the kernel and of this user.
std::vector<check> host_checks();

/// The home: owner, modes, space, sockets, what a hub that died has left.
std::vector<check> home_checks(const std::string& path);

/// The configuration that a hub started here would read, and what it needs:
/// tokens, agent programs.
std::vector<check>
configuration_checks(const std::optional<config_outcome>& loaded);

} // namespace ao::cli
