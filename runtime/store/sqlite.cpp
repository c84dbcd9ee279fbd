#include "runtime/store/sqlite.hpp"

#include <sqlite3.h>

namespace ao {
namespace {

/// What a person can do about it.
std::string_view remedy(int code) {
  switch (code) {
  case SQLITE_FULL:
    return "; free some space";
  case SQLITE_IOERR:
    return "; look at the disk: dmesg, df, mount";
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    return "; move it away and restore a copy made by ao db backup";
  case SQLITE_CANTOPEN:
  case SQLITE_READONLY:
  case SQLITE_PERM:
    return "; check the owner and mode of the file and its directory";
  default:
    return "";
  }
}

} // namespace

void database::closer::operator()(sqlite3* x) const {
  sqlite3_close_v2(x);
}

result<database> database::open(const std::string& path,
                                const std::string& vfs) {
  database db;
  db.path_ = path;
  sqlite3* handle = nullptr;
  auto flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
    | SQLITE_OPEN_EXRESCODE;
  auto rc = sqlite3_open_v2(path.c_str(), &handle, flags,
                            vfs.empty() ? nullptr : vfs.c_str());
  db.handle_.reset(handle);
  if (rc != SQLITE_OK)
    return db.failure("open");
  return db;
}

result<void> database::run(const char* sql) {
  if (sqlite3_exec(raw(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return failure(sql);
  return {};
}

result<std::int64_t> database::number(const char* sql) {
  auto query = prepare(sql);
  if (!query)
    return fail(query.error());
  if (query->step())
    return query->number(0);
  if (query->failed())
    return failure(sql);
  return 0;
}

result<statement> database::prepare(std::string_view sql) {
  statement out;
  sqlite3_stmt* handle = nullptr;
  auto rc = sqlite3_prepare_v3(raw(), sql.data(), static_cast<int>(sql.size()),
                               SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  out.handle_.reset(handle);
  if (rc != SQLITE_OK)
    return failure(sql);
  return out;
}

tl::unexpected<error> database::failure(std::string_view doing) const {
  // Only the first words: what follows in SQL is no help to anybody.
  auto words = doing.substr(0, 40);
  return fail(ec::store_failed,
              "database " + path_ + ": " + std::string{words} + ": "
                + sqlite3_errmsg(raw()) + " ("
                + std::to_string(sqlite3_extended_errcode(raw())) + ")"
                + std::string{remedy(code())});
}

int database::code() const {
  return sqlite3_errcode(raw()) & 0xff;
}

bool database::autocommit() const {
  return sqlite3_get_autocommit(raw()) != 0;
}

void database::release_pages() {
  // The answer is a count of bytes.
  sqlite3_db_release_memory(raw());
}

std::int64_t database::changed() const {
  return sqlite3_changes64(raw());
}

void statement::finalizer::operator()(sqlite3_stmt* x) const {
  sqlite3_finalize(x);
}

statement& statement::bind(int index, std::string_view text) {
  // A null pointer would bind NULL.
  const auto* data = text.data() ? text.data() : "";
  sqlite3_bind_text64(handle_.get(), index, data, text.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
  return *this;
}

statement& statement::bind(int index, std::int64_t n) {
  sqlite3_bind_int64(handle_.get(), index, n);
  return *this;
}

bool statement::step() {
  auto rc = sqlite3_step(handle_.get());
  failed_ = rc != SQLITE_ROW && rc != SQLITE_DONE;
  if (rc == SQLITE_ROW)
    return true;
  // Keeps the error of the step as the connection's last one.
  sqlite3_reset(handle_.get());
  return false;
}

bool statement::run() {
  if (step())
    reset();
  return !failed_;
}

void statement::reset() {
  sqlite3_reset(handle_.get());
}

std::int64_t statement::number(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

std::string_view statement::text(int column) const {
  const auto* data = sqlite3_column_text(handle_.get(), column);
  auto size = sqlite3_column_bytes(handle_.get(), column);
  if (data == nullptr)
    return {};
  return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)};
}

} // namespace ao
