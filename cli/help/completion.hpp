#pragma once

#include "cli/command.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ao::cli {

/// Where the words come from that a shell offers for a value.
enum class word_source {
  /// Nothing can be offered.
  none,
  /// Files and directories; the shell's own.
  files,
  /// The words of `values_of`.
  fixed,
  /// `ao __complete <name>` asks the hub.
  hub,
};

/// What a shell offers for one argument.
struct completion_values {
  word_source from = word_source::none;
  /// The words separated by blanks, or what the hub is asked for: `sessions`,
  /// `tasks`, …
  std::string words;
};

/// @param of An argument of `command`.
completion_values values_of(const command& of, const argument& what);

/// The names that `--name,-n` stands for, with their dashes.
std::vector<std::string> spellings_of(const argument& what);

/// Whether an option takes a value.
bool takes_value(const argument& what);

/// Made from the command table: what the shell reads to complete `ao`.
/// @param shell `bash`, `zsh` or `fish`. Errors: `bad_input`.
result<std::string> completion_script(std::string_view shell,
                                      const std::vector<command>& table);

} // namespace ao::cli
