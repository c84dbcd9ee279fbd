#pragma once

#include "cli/command.hpp"
#include "runtime/config/keys.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ao::cli {

/// ao(1), in roff: every command of the table with its arguments, the exit
/// codes, files and variables.
std::string command_manual(const std::vector<command>& table,
                           std::string_view version);

/// ao.yaml(5), in roff: every key of the table with its type, default and when
/// a change counts.
std::string config_manual(const key_table& keys, std::string_view version);

} // namespace ao::cli
