#pragma once

#include "cli/help/completion.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace ao::cli {

/// One word that may follow, and what it does.
struct next_word {
  std::string word;
  std::string help;
};

/// The table as shells see it.
struct command_tree {
  /// The commands that are shown.
  std::vector<const command*> commands;
  /// Words that need a second one: `session`.
  std::vector<std::string> groups;
  /// What may follow `ao` ("") or a group, in the order of the table.
  std::map<std::string, std::vector<next_word>> next;
};

command_tree tree_of(const std::vector<command>& table);

/// `text` in single quotes, for bash and zsh.
std::string in_quotes(std::string_view text);

std::string bash_completion(const std::vector<command>& table);
std::string zsh_completion(const std::vector<command>& table);
std::string fish_completion(const std::vector<command>& table);

} // namespace ao::cli
