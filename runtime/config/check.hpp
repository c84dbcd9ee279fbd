#pragma once

#include "runtime/config/config_error.hpp"
#include "runtime/config/environment.hpp"
#include "runtime/config/keys.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ao {

/// A value that its row allows, read.
struct checked_value {
  const key_row* row = nullptr;
  /// Where the key and the value stand.
  text_place key_at;
  text_place at;
  /// The path as it was written.
  std::string shown;
  /// The key as it was written, when that was an alias.
  std::string alias;
  /// Scalars: the text, variables replaced.
  std::string text;
  /// Integers, milliseconds, bytes; of `tries_or_duration` see `is_time`.
  std::int64_t number = 0;
  double real = 0;
  bool flag = false;
  /// A `tries_or_duration` that is a duration in milliseconds.
  bool is_time = false;
  /// Lists and argument vectors.
  std::vector<std::string> items;
  std::vector<text_place> item_places;
  std::vector<std::int64_t> numbers;
  /// Maps of texts.
  std::vector<std::pair<std::string, std::string>> pairs;
};

/// What the checker made of a tree.
struct check_outcome {
  /// By dotted path, below the prefix asked for; sections and tables too.
  std::map<std::string, checked_value> values;
  std::vector<config_error> errors;
  std::vector<config_note> notes;
};

/// What is checked against what.
struct check_request {
  const key_table* table = nullptr;
  /// The section of the table that the root of the tree is; "" = all of it.
  std::string pattern;
  /// Put before each path in `values`, e.g. `projects.app.`; errors show the
  /// path as written in the file.
  std::string prefix;
  /// How the file is called.
  std::string file;
  /// Null: `${NAME}` is plain text (files of programs, not of people).
  const env_lookup* env = nullptr;
};

/// Checks each key and value of a tree against a key table and reads them.
/// Collects every error. Nothing is known here of what the keys mean, so any
/// table and any source of a tree will do: the configuration, a mediator's
/// verdict.
check_outcome check_tree(const tree_node& root, const check_request& request);

} // namespace ao
