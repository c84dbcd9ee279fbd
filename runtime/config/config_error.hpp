#pragma once

#include "messages/error.hpp"
#include "runtime/config/tree.hpp"

#include <string>
#include <vector>

namespace ao {

/// One thing that is wrong with a configuration file (CONTRACT §5).
struct config_error {
  std::string file;
  /// 1-based; at the key if it is unknown or repeated, at the value if that
  /// is wrong, at the parent's key if something is missing.
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  /// Dotted path, `(document)` when no key is concerned.
  std::string key;
  std::string message;
  std::string expected;
  /// A key or value within distance 2; empty = none.
  std::string suggestion;
  /// `bad_input`, or a more special word such as `forge_not_available`.
  ec code = ec::bad_input;
};

/// Something accepted that has no effect, or less than was written.
struct config_note {
  std::string file;
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  std::string key;
  std::string text;
};

/// `<file>:<line>:<column>: <key>: <message>, expected <expected>[; did you
/// mean "<suggestion>"?]`, always one line.
std::string to_string(const config_error& e);

/// `<file>:<line>:<column>: <key>: <text>`, always one line.
std::string to_string(const config_note& n);

/// Sorts by place, the order of finding kept among equals.
void sort_by_place(std::vector<config_error>& errors);

} // namespace ao
