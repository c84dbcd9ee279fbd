#pragma once

#include "messages/error.hpp"
#include "messages/store.hpp"
#include "runtime/store/row_list.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

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
inline const std::string& key_of(const breaker& x) {
  return x.key;
}
inline const std::string& key_of(const cluster_node& x) {
  return x.name.text;
}
inline const std::string& key_of(const join_token& x) {
  return x.id;
}

const std::string& key_of(const row& r);
std::uint64_t version_of(const row& r);

/// The row as text for its `doc` column.
std::string doc_of(const row& r);

/// All rows of the database, typed.
struct store_rows {
  row_list<task> tasks;
  row_list<claim> claims;
  row_list<session> sessions;
  row_list<change> changes;
  row_list<ci_run> ci_runs;
  row_list<counter> counters;
  row_list<message> messages;
  row_list<change_review> reviews;
  row_list<incident> incidents;
  row_list<notification> notifications;
  row_list<breaker> breakers;
  row_list<cluster_node> nodes;
  row_list<join_token> join_tokens;

  /// Takes over all rows of `more`, behind its own.
  void append(store_rows&& more);
};

/// Reads one `doc` into the list it belongs to.
/// Errors: `store_failed` naming the table and the key.
result<void> add_row(store_rows& rows, table t, std::string_view key,
                     std::string_view doc);

} // namespace ao
