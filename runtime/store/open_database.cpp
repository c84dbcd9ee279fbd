#include "runtime/store/open_database.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace ao {
namespace {

tl::unexpected<error> unusable(const std::string& path,
                               const std::string& why) {
  return fail(ec::store_failed, "database " + path + ": " + why);
}

/// Makes the file ours alone before SQLite sees it: the log inherits the mode.
result<void> prepare_file(const std::string& path) {
  auto fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) {
    ::close(fd);
    return {};
  }
  if (errno != EEXIST)
    return unusable(path,
                    std::string{"create: "} + std::strerror(errno)
                      + "; check the owner and mode of its directory");
  // Never opened here: closing it would drop the locks that another
  // connection of this process has on it.
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0)
    return unusable(path, std::string{"stat: "} + std::strerror(errno));
  if (!S_ISREG(st.st_mode))
    return unusable(path, "is not a regular file; move it away");
  if (st.st_uid != ::geteuid())
    return unusable(path,
                    "belongs to uid " + std::to_string(st.st_uid)
                      + " and not to uid " + std::to_string(::geteuid())
                      + "; change its owner or use another AO_HOME");
  return {};
}

/// Takes the file from group and others, once it is known to be ours.
result<void> tighten(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) == 0 && (st.st_mode & 0077) == 0)
    return {};
  if (::chmod(path.c_str(), 0600) != 0)
    return unusable(path, std::string{"chmod 0600: "} + std::strerror(errno));
  return {};
}

/// Reads the header through SQLite's own file, before SQLite believes it:
/// opening another program's database for writing would already change it.
result<void> check_header(database& db) {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(db.raw(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (file == nullptr || file->pMethods == nullptr)
    return unusable(db.path(), "cannot be opened");
  sqlite3_int64 size = 0;
  if (file->pMethods->xFileSize(file, &size) != SQLITE_OK)
    return unusable(db.path(), "its size cannot be read");
  if (size == 0)
    return {};
  constexpr auto remedy = "; move it away or use another AO_HOME";
  std::array<unsigned char, 100> header{};
  if (size < 100
      || file->pMethods->xRead(file, header.data(), 100, 0) != SQLITE_OK
      || std::memcmp(header.data(), "SQLite format 3", 16) != 0)
    return unusable(db.path(), std::string{"is not a database"} + remedy);
  std::uint32_t id = 0;
  for (std::size_t i = 68; i < 72; ++i)
    id = id << 8 | header[i];
  if (id != store_application_id)
    return unusable(db.path(),
                    "is the database of another program "
                    "(application id "
                      + std::to_string(id) + ")" + remedy);
  return {};
}

/// Names a lock that somebody else has; other failures pass unchanged.
error held_or(const database& db, error e) {
  if (db.code() != SQLITE_BUSY)
    return e;
  return {ec::hub_already_running,
          "database " + db.path()
            + " is in use by another process; ao stop ends a running hub"};
}

/// Takes the file for this process and reads which schema it has. From here to
/// the first migration nothing is written but the marks of a new file.
result<std::int64_t> take(database& db) {
  if (auto x = db.run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=FULL;"
                      "PRAGMA foreign_keys=ON; PRAGMA cell_size_check=ON;"
                      "PRAGMA trusted_schema=OFF");
      !x)
    return fail(x.error());
  auto pages = db.number("PRAGMA page_count");
  if (!pages)
    return fail(pages.error());
  // Before WAL, so that the mark is in the file itself from its first page on.
  if (*pages == 0) {
    auto mark = "PRAGMA application_id=" + std::to_string(store_application_id);
    if (auto x = db.run(mark.c_str()); !x)
      return fail(x.error());
  }
  return db.number("PRAGMA user_version");
}

result<void> use_wal(database& db) {
  auto query = db.prepare("PRAGMA journal_mode=WAL");
  if (!query)
    return fail(query.error());
  if (!query->step())
    return db.failure("journal_mode=WAL");
  if (query->text(0) != "wal")
    return unusable(db.path(),
                    "its file system does not allow WAL; use a "
                    "local AO_HOME");
  query->reset();
  // A transaction takes the lock now and not at the first commit.
  return db.run("BEGIN IMMEDIATE; COMMIT");
}

result<void> migrate(database& db, std::int64_t from,
                     const std::vector<migration>& migrations) {
  auto to = static_cast<std::int64_t>(migrations.size());
  if (from == to)
    return {};
  if (auto x = db.run("BEGIN IMMEDIATE"); !x)
    return x;
  auto steps = [&]() -> result<void> {
    for (auto n = from; n < to; ++n)
      if (auto x = migrations[static_cast<std::size_t>(n)](db); !x)
        return fail(x.error().code,
                    "schema version " + std::to_string(n) + " -> "
                      + std::to_string(n + 1) + ": " + x.error().context);
    auto stamp = "PRAGMA user_version=" + std::to_string(to);
    if (auto x = db.run(stamp.c_str()); !x)
      return x;
    return db.run("COMMIT");
  };
  auto done = steps();
  // SQLite has rolled back by itself after some errors; closing does the rest.
  if (!done && !db.autocommit())
    (void)db.run("ROLLBACK");
  return done;
}

} // namespace

result<database> open_database(const std::string& path, const std::string& vfs,
                               const std::vector<migration>& migrations) {
  if (auto x = prepare_file(path); !x)
    return fail(x.error());
  auto db = database::open(path, vfs);
  if (!db)
    return db;
  // Whatever is refused below stays as it is, its log included.
  sqlite3_db_config(db->raw(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  if (auto x = check_header(*db); !x)
    return fail(x.error());
  auto version = take(*db);
  if (!version)
    return fail(held_or(*db, version.error()));
  if (*version > static_cast<std::int64_t>(migrations.size()))
    return fail(ec::store_too_new,
                "database " + path + " has schema version "
                  + std::to_string(*version) + ", this ao knows up to "
                  + std::to_string(migrations.size())
                  + "; install the newer ao again or use another AO_HOME");
  if (sqlite3_db_readonly(db->raw(), "main") == 1)
    return unusable(path, "is read-only; check its mode");
  if (auto x = tighten(path); !x)
    return fail(x.error());
  if (auto x = use_wal(*db); !x)
    return fail(held_or(*db, x.error()));
  if (auto x = migrate(*db, *version, migrations); !x)
    return fail(x.error());
  sqlite3_db_config(db->raw(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  return db;
}

} // namespace ao
