#include "runtime/store/open_database.hpp"
#include "runtime/store/store.hpp"
#include "tests/support/store_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

using namespace ao;
using namespace ao::test;
using testing::HasSubstr;

namespace {

/// The schema's present version.
const auto released = static_cast<std::int64_t>(schema_migrations().size());

std::string bytes_of(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream{path, std::ios::binary} << bytes;
}

unsigned mode_of(const std::string& path) {
  struct stat st {};
  EXPECT_EQ(::stat(path.c_str(), &st), 0) << path;
  return st.st_mode & 07777;
}

/// Runs SQL on a database of nobody in particular.
void run_sql(const std::string& path, const char* sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  char* problem = nullptr;
  EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, &problem), SQLITE_OK)
    << problem;
  sqlite3_close(db);
}

class StoreOpen : public testing::Test {
protected:
  /// Opening fails with this code and changes no byte.
  error refused(const std::string& file) {
    auto before = bytes_of(file);
    auto x = store::open(file);
    EXPECT_FALSE(x);
    EXPECT_EQ(bytes_of(file), before);
    // SQLite makes an empty log when it looks at a database of ours.
    EXPECT_TRUE(bytes_of(file + "-wal").empty());
    EXPECT_FALSE(std::filesystem::exists(file + "-journal"));
    if (x)
      return {};
    EXPECT_THAT(x.error().context, HasSubstr(file));
    return x.error();
  }

  private_directory dir;
  std::string path = dir / "ao.db";
};

} // namespace

TEST_F(StoreOpen, MakesFilesThatOnlyTheOwnerReads) {
  auto db = opened(path);
  EXPECT_EQ(mode_of(path), 0600u);
  EXPECT_EQ(mode_of(path + "-wal"), 0600u);
}

TEST_F(StoreOpen, TightensTheModeOfItsFile) {
  opened(path);
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  opened(path);
  EXPECT_EQ(mode_of(path), 0600u);
}

TEST_F(StoreOpen, RefusesASecondOpenerInThisProcess) {
  auto first = opened(path);
  auto second = store::open(path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ec::hub_already_running);
  EXPECT_THAT(second.error().context, HasSubstr(path));
  // The refusal has not dropped the first one's lock.
  EXPECT_FALSE(store::open(path));
  EXPECT_TRUE(commit_one(first, write_of({task_row("T1", 1)})));
}

TEST_F(StoreOpen, RefusesAnotherProcessUntilTheFirstHasClosed) {
  auto try_in_child = [&] {
    auto pid = ::fork();
    if (pid == 0) {
      auto x = store::open(path);
      ::_exit(x ? 0 : static_cast<int>(x.error().code));
    }
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
  };
  {
    auto first = opened(path);
    EXPECT_EQ(try_in_child(), static_cast<int>(ec::hub_already_running));
  }
  EXPECT_EQ(try_in_child(), 0);
}

TEST_F(StoreOpen, RefusesANewerSchemaAndNamesBothVersions) {
  opened(path);
  run_sql(path, "PRAGMA user_version=77");
  auto e = refused(path);
  EXPECT_EQ(e.code, ec::store_too_new);
  EXPECT_THAT(e.context,
              HasSubstr("schema version 77, this ao knows up to "
                        + std::to_string(released)));
  EXPECT_THAT(e.context, HasSubstr("install the newer ao"));
}

TEST_F(StoreOpen, RefusesWhatIsNoDatabase) {
  write_bytes(path, "short");
  EXPECT_THAT(refused(path).context, HasSubstr("is not a database"));
  write_bytes(path, std::string(100'000, 'x'));
  auto e = refused(path);
  EXPECT_EQ(e.code, ec::store_failed);
  EXPECT_THAT(e.context, HasSubstr("move it away"));
}

TEST_F(StoreOpen, RefusesTheDatabaseOfAnotherProgram) {
  run_sql(path, "PRAGMA application_id=99; CREATE TABLE x(y)");
  EXPECT_THAT(refused(path).context, HasSubstr("another program"));
  auto other = dir / "other.db";
  run_sql(other, "PRAGMA journal_mode=WAL; CREATE TABLE x(y)");
  EXPECT_EQ(refused(other).code, ec::store_failed);
}

TEST_F(StoreOpen, RefusesADamagedDatabase) {
  {
    auto db = opened(path);
    for (int i = 0; i < 200; ++i)
      ASSERT_TRUE(commit_one(db,
                             write_of({task_row("T" + std::to_string(i), 1,
                                                std::string(500, 'x'))})));
  }
  auto whole = bytes_of(path);
  auto bytes = whole;
  // The first page holds the schema; its root is behind the 100 byte header.
  bytes.replace(100, 200, std::string(200, '\x5a'));
  write_bytes(path, bytes);
  auto e = refused(path);
  EXPECT_EQ(e.code, ec::store_failed);
  EXPECT_THAT(e.context, HasSubstr("ao db backup"));

  bytes = whole;
  for (auto at = std::size_t{4096}; at < bytes.size(); at += 4096)
    bytes.replace(at, 8, std::string(8, '\x5a'));
  write_bytes(path, bytes);
  auto opened_damaged = store::open(path);
  auto problem
    = opened_damaged ? opened_damaged->load().error() : opened_damaged.error();
  EXPECT_EQ(problem.code, ec::store_failed);
  EXPECT_THAT(problem.context, HasSubstr(path));
}

TEST_F(StoreOpen, NamesTheRowThatCannotBeRead) {
  opened(path);
  run_sql(path, "INSERT INTO tasks VALUES('T7', 1, '{\"priority\":\"x\"}')");
  auto db = opened(path);
  auto rows = db.load();
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, ec::store_failed);
  EXPECT_THAT(rows.error().context, HasSubstr("row T7 of tasks"));
}

TEST_F(StoreOpen, RefusesADirectoryAndAMissingOne) {
  EXPECT_EQ(store::open(dir / "").error().code, ec::store_failed);
  EXPECT_EQ(store::open(dir / "none/ao.db").error().code, ec::store_failed);
}

TEST_F(StoreOpen, RefusesTheFileOfAnotherUser) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "needs root to give a file away";
  opened(path);
  ASSERT_EQ(::chown(path.c_str(), 12345, 12345), 0);
  EXPECT_THAT(refused(path).context, HasSubstr("belongs to uid 12345"));
}

TEST_F(StoreOpen, TakesUpAFileThatWasLeftEmpty) {
  write_bytes(path, "");
  auto db = opened(path);
  EXPECT_TRUE(commit_one(db, write_of({task_row("T1", 1)})));
}

namespace {

/// The real steps and some to come: each leaves a mark.
std::vector<migration> with_future_steps(std::size_t n) {
  auto list = schema_migrations();
  for (std::size_t i = 0; i < n; ++i)
    list.push_back([i](database& db) {
      auto sql
        = "INSERT INTO meta VALUES('step" + std::to_string(i) + "','done')";
      return db.run(sql.c_str());
    });
  return list;
}

} // namespace

TEST_F(StoreOpen, MigratesFromEachEarlierVersion) {
  constexpr std::size_t steps = 3;
  for (std::size_t from = 0; from <= steps; ++from) {
    auto file = dir / ("from" + std::to_string(from) + ".db");
    {
      open_options old;
      old.migrations = with_future_steps(from);
      auto db = opened(file, old);
      ASSERT_TRUE(commit_one(db, write_of({task_row("T1", 1)})));
    }
    open_options present;
    present.migrations = with_future_steps(steps);
    EXPECT_EQ(opened(file, present).load()->tasks.size(), 1u);
    auto db = database::open(file, "");
    EXPECT_EQ(*db->number("PRAGMA user_version"), released + 3);
    EXPECT_EQ(*db->number("SELECT count(*) FROM meta WHERE key LIKE 'step%'"),
              3);
  }
}

TEST_F(StoreOpen, TakesAMigrationWhollyOrNotAtAll) {
  opened(path);
  open_options bad;
  bad.migrations = with_future_steps(1);
  bad.migrations.push_back([](database& db) {
    return db.run("CREATE TABLE half(x); INSERT INTO nowhere VALUES(1)");
  });
  auto x = store::open(path, bad);
  ASSERT_FALSE(x);
  EXPECT_THAT(x.error().context,
              HasSubstr("schema version " + std::to_string(released + 1)
                        + " -> " + std::to_string(released + 2)));
  EXPECT_THAT(x.error().context, HasSubstr("nowhere"));
  opened(path);
  auto db = database::open(path, "");
  EXPECT_EQ(*db->number("PRAGMA user_version"), released);
  EXPECT_EQ(*db->number("SELECT count(*) FROM sqlite_master "
                        "WHERE name='half'"),
            0);
}
