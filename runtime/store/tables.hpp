#pragma once

#include "messages/error.hpp"
#include "messages/store.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ao {

/// How many tables of rows there are.
constexpr std::size_t table_count = std::variant_size_v<row>;

/// The table's name on disk; durable.
std::string_view to_string(table t);

/// The table that keeps this row. The order of `row` is the order of `table`.
inline table table_of(const row& r) {
  return static_cast<table>(r.index());
}

/// The key of each type of row.
inline const std::string& key_of(const task& x) {
  return x.id.text;
}
inline const std::string& key_of(const claim& x) {
  return x.subject;
}
inline const std::string& key_of(const session& x) {
  return x.id.text;
}
inline const std::string& key_of(const change& x) {
  return x.id.text;
}
inline const std::string& key_of(const ci_run& x) {
  return x.key;
}
inline const std::string& key_of(const counter& x) {
  return x.name;
}
inline const std::string& key_of(const message& x) {
  return x.id.text;
}
inline const std::string& key_of(const change_review& x) {
  return x.key;
}
inline const std::string& key_of(const incident& x) {
  return x.id.text;
}
inline const std::string& key_of(const notification& x) {
  return x.id;
}

const std::string& key_of(const row& r);
std::uint64_t version_of(const row& r);

/// The row as text for its `doc` column.
std::string doc_of(const row& r);

/// All rows of the database, typed.
struct store_rows {
  std::vector<task> tasks;
  std::vector<claim> claims;
  std::vector<session> sessions;
  std::vector<change> changes;
  std::vector<ci_run> ci_runs;
  std::vector<counter> counters;
  std::vector<message> messages;
  std::vector<change_review> reviews;
  std::vector<incident> incidents;
  std::vector<notification> notifications;
};

/// Reads one `doc` into the list it belongs to.
/// Errors: `store_failed` naming the table and the key.
result<void> add_row(store_rows& rows, table t, std::string_view key,
                     std::string_view doc);

} // namespace ao
