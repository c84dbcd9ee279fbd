#pragma once

#include "messages/error.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace ao {

class statement;

/// A connection to SQLite that closes itself; errors are `store_failed` with
/// the path and SQLite's own message.
class database {
public:
  /// Opens or creates `path`; reads nothing yet.
  static result<database> open(const std::string& path, const std::string& vfs);

  /// Runs statements that answer nothing.
  result<void> run(const char* sql);

  /// The first column of the first row, a whole number; 0 without a row.
  result<std::int64_t> number(const char* sql);

  /// Compiles a statement that is kept and used again.
  result<statement> prepare(std::string_view sql);

  /// The last error as a result, with its path.
  tl::unexpected<error> failure(std::string_view doing) const;

  /// The primary result code of the last call (`SQLITE_FULL`, …).
  int code() const;

  /// True while no transaction is open.
  bool autocommit() const;

  /// Rows that the last statement changed.
  std::int64_t changed() const;

  /// Gives back the memory of pages that nobody uses.
  void release_pages();

  sqlite3* raw() const { return handle_.get(); }
  const std::string& path() const { return path_; }

private:
  struct closer {
    void operator()(sqlite3* x) const;
  };
  std::unique_ptr<sqlite3, closer> handle_;
  std::string path_;
};

/// A prepared statement. Bind, then `step` until it answers false, or `run`.
/// Bound text must live until the statement is reset.
class statement {
public:
  statement() = default;

  statement& bind(int index, std::string_view text);
  statement& bind(int index, std::int64_t n);
  statement& bind(int index, std::uint64_t n) {
    return bind(index, static_cast<std::int64_t>(n));
  }
  statement& bind(int index, bool b) {
    return bind(index, static_cast<std::int64_t>(b));
  }

  /// True when there is a row. False at the end, which also resets it; so does
  /// an error (look at the database for it): `failed()`.
  bool step();

  /// For statements without rows: steps once and resets; false = failed.
  bool run();

  /// True when the last `step` ended with an error.
  bool failed() const { return failed_; }

  /// Ends a walk before its last row.
  void reset();

  std::int64_t number(int column) const;
  /// Valid until the next step.
  std::string_view text(int column) const;

private:
  friend class database;
  struct finalizer {
    void operator()(sqlite3_stmt* x) const;
  };
  std::unique_ptr<sqlite3_stmt, finalizer> handle_;
  bool failed_ = false;
};

} // namespace ao
