#include "runtime/home/kept_files.hpp"
#include "runtime/store/backup.hpp"
#include "tests/support/store_fixture.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

using namespace ao;
using namespace ao::test;
using testing::UnorderedElementsAre;
namespace fs = std::filesystem;

namespace {

void put(const fs::path& file, std::size_t bytes) {
  fs::create_directories(file.parent_path());
  std::ofstream{file} << std::string(bytes, 'x');
}

TEST(KeptFiles, FindsLogsAndTheRunsOfChecks) {
  private_directory dir;
  home place{dir / "home", dir / "home/run"};
  put(place.hub_log(), 5);
  put(place.hub_log() + ".1", 7);
  put(place.ci() + "/app#1/aaa/output.log", 11);
  put(place.ci() + "/app#1/aaa/exit.json", 2);
  put(place.ci() + "/app#1/bbb/output.log", 3);
  fs::create_symlink(place.hub_log(), place.ci() + "/app#1/bbb/link");
  std::vector<std::string> found;
  for (const auto& log : find_logs(place, {place.ci() + "/app#1/bbb"}))
    found.push_back(fs::path{log.path}.filename().string() + " "
                    + std::to_string(log.bytes)
                    + (log.in_use ? " in use" : ""));
  EXPECT_THAT(found,
              UnorderedElementsAre("hub.log 5 in use", "hub.log.1 7", "aaa 13",
                                   "bbb 3 in use"));
}

TEST(KeptFiles, RemovesDirectoriesAndFollowsNoLink) {
  private_directory dir;
  home place{dir / "home", dir / "home/run"};
  put(dir / "precious", 1);
  put(place.ci() + "/app#1/aaa/output.log", 1);
  put(place.ci() + "/app#2/aaa/output.log", 1);
  put(place.ci() + "/app#2/bbb/output.log", 1);
  fs::create_symlink(dir / "precious", place.ci() + "/app#1/aaa/link");
  auto gone = remove_kept(place,
                          {place.ci() + "/app#1/aaa", place.ci() + "/app#2/aaa",
                           place.sessions() + "/none"});
  ASSERT_TRUE(gone) << to_string(gone.error());
  EXPECT_EQ(*gone, 2u);
  EXPECT_FALSE(fs::exists(place.ci() + "/app#1"));
  EXPECT_TRUE(fs::exists(place.ci() + "/app#2/bbb/output.log"));
  EXPECT_TRUE(fs::exists(dir / "precious"));
}

TEST(KeptFiles, TouchesNothingOutsideOfTheHome) {
  private_directory dir;
  home place{dir / "home", dir / "home/run"};
  fs::create_directories(place.root());
  put(dir / "precious", 1);
  for (const auto& path : {dir / "precious", place.root() + "/../precious",
                           place.root(), std::string{"/"}})
    EXPECT_FALSE(remove_kept(place, {path})) << path;
  EXPECT_TRUE(fs::exists(dir / "precious"));
}

TEST(Backup, IsAConsistentCopyThatOnlyItsOwnerReads) {
  private_directory dir;
  auto db = store::open(dir / "ao.db");
  ASSERT_TRUE(db);
  store_write write;
  write.rows.emplace_back(task_row("T1", 1));
  ASSERT_TRUE(db->commit({write}).front());
  auto bytes = back_up_into(*db, dir / "copy.db");
  ASSERT_TRUE(bytes) << to_string(bytes.error());
  EXPECT_EQ(*bytes, fs::file_size(dir / "copy.db"));
  struct stat info {};
  ASSERT_EQ(::stat((dir / "copy.db").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
  auto copy = store::open(dir / "copy.db");
  ASSERT_TRUE(copy) << to_string(copy.error());
  auto rows = copy->load();
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->tasks.size(), 1u);
}

TEST(Backup, ReplacesNothing) {
  private_directory dir;
  auto db = store::open(dir / "ao.db");
  ASSERT_TRUE(db);
  put(dir / "there", 3);
  for (const auto& path :
       {dir / "there", std::string{"relative"}, dir / "no/such/place"}) {
    auto refused = back_up_into(*db, path);
    ASSERT_FALSE(refused) << path;
    EXPECT_EQ(refused.error().code, ec::bad_input) << path;
  }
  EXPECT_EQ(fs::file_size(dir / "there"), 3u);
}

} // namespace
