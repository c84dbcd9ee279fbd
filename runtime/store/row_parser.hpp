#pragma once

#include "messages/error.hpp"
#include "runtime/store/tables.hpp"

#include <memory>
#include <string_view>

namespace ao {

/// Makes rows of their texts while the next ones are read: from many on, a
/// second thread parses what the caller adds, and the caller helps it when it
/// falls behind. For one thread, which calls `add` and then `finish`.
class row_parser {
public:
  row_parser();
  ~row_parser();
  row_parser(const row_parser&) = delete;
  row_parser& operator=(const row_parser&) = delete;

  /// Takes the text of one row; copies it.
  void add(table t, std::string_view key, std::string_view doc);

  /// True when a wrong row is known of; more need not be added.
  bool failed() const;

  /// All rows, in the order in which they were added.
  /// Errors: `store_failed` naming the first row that is wrong.
  result<store_rows> finish();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace ao
