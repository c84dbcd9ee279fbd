#pragma once

#include "cli/command.hpp"
#include "cli/commands/edited_file.hpp"
#include "runtime/notify/openclaw_setup.hpp"

#include <optional>
#include <string>
#include <vector>

/// What `ao setup openclaw` is going to do; nothing is changed by making it.
namespace ao::cli {

struct setup_plan {
  /// Our configuration, and what it becomes.
  edited_file config;
  std::string new_config;
  /// The gateway's, and what it becomes; unchanged unless it is on this host.
  edited_file gateway;
  std::string new_gateway;
  /// Lines that only a person can write into the gateway's.
  std::vector<std::string> by_hand;

  notify::openclaw_entry entry;
  std::string token;
  notify::token_source source = notify::token_source::none;
  /// Worth knowing, one line each.
  std::vector<std::string> notes;

  bool changes_config() const { return new_config != config.text; }
  bool changes_gateway() const { return new_gateway != gateway.text; }
};

/// Finds what is there and decides; asks for a token where that is allowed.
/// Errors: `bad_input` for wrong arguments and configurations, and where only
/// a person can go on; `program_missing` without a gateway.
result<setup_plan> plan_setup(invocation& what);

} // namespace ao::cli
