#pragma once

#include "messages/config_change.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// What is written at a key. The checker knows one rule per type, the schema
/// one JSON Schema per type.
enum class key_type : std::uint8_t {
  /// A map with the keys of the table below it.
  section,
  /// A map whose keys are names that the user gives (`*` in the table).
  table,
  boolean,
  /// A whole number within the row's range.
  integer,
  /// A number within the row's range.
  number,
  /// One of the row's words.
  word,
  /// Text that is not empty.
  text,
  /// Text, also empty.
  prose,
  /// `30s`; under an alias that ends in Ms a whole number of milliseconds.
  duration,
  durations,
  /// A whole number of milliseconds (keys of the original).
  millis,
  /// `64MiB`.
  size,
  texts,
  /// A map of texts.
  text_map,
  /// An argument vector: at least one element, the first not empty.
  command,
  /// A path, absolute or below `~` or relative to the file's directory.
  path,
  /// A path below the project, without `..`.
  inner_path,
  inner_paths,
  /// The name of an agent.
  agent,
  /// Names of notifiers.
  notifiers,
  /// `host:port`.
  address,
  /// `22:00-07:00`.
  hours,
  /// `http://…` or `https://…`.
  url,
  /// The name of an environment variable.
  variable,
  variables,
  /// The name of a branch.
  branch,
  /// A name of a branch that contains `{session}`.
  branch_template,
  /// `[A-Za-z0-9_-]+`.
  identifier,
  /// A whole number (tries) or a duration.
  tries_or_duration,
  /// Whatever the original allows; not read.
  ignored,
};

std::string_view to_string(key_type x);

/// One row of the key table.
struct key_row {
  /// Dotted path; `*` stands for a name that the user gives.
  std::string pattern;
  key_type type = key_type::text;
  /// The default as written in a file; empty = none.
  std::string fallback;
  /// One sentence for people.
  std::string doc;
  /// Another name of the last part that is read as well (the original's).
  std::string alias;
  /// Of a word; of a table, the names that are allowed (empty = any).
  std::vector<std::string> words;
  /// Least and greatest value (integers, numbers, milliseconds, bytes).
  std::optional<double> least;
  std::optional<double> greatest;
  /// When a changed value begins to count after a reload.
  takes_effect effect = takes_effect::now;
  bool required = false;
  bool secret = false;
  /// `null` is read as absent.
  bool nullable = false;
  /// Further keys of a section are noted, not refused.
  bool open = false;
  /// Why a key of the original has no meaning here.
  std::string reason;
};

/// A key table with its tree of sections.
class key_table {
public:
  /// @param rows Each pattern once, a section before what is below it.
  explicit key_table(std::vector<key_row> rows);

  // The indices point into the rows.
  key_table(const key_table&) = delete;
  key_table& operator=(const key_table&) = delete;

  const std::vector<key_row>& rows() const { return rows_; }

  /// The row of a pattern; null when there is none.
  const key_row* find(std::string_view pattern) const;

  /// The rows directly below a section or table, in the order of the table;
  /// "" is the root.
  const std::vector<const key_row*>& below(std::string_view pattern) const;

private:
  std::vector<key_row> rows_;
  std::map<std::string, const key_row*, std::less<>> by_pattern_;
  std::map<std::string, std::vector<const key_row*>, std::less<>> below_;
};

/// The last part of a pattern or path.
std::string_view last_part(std::string_view pattern);

/// All keys of the configuration file: the one table from which the checker,
/// `ao config show` and configs/ao.schema.json are made.
const key_table& config_keys();

} // namespace ao
