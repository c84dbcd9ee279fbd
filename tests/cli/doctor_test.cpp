#include "cli/commands/doctor_checks.hpp"
#include "runtime/home/files.hpp"
#include "runtime/home/lock.hpp"
#include "tests/support/config_reading.hpp"
#include "tests/support/store_fixture.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

using namespace ao;
using namespace ao::cli;
using namespace ao::test;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

/// The check of that name, looked at now.
finding look(const std::vector<check>& checks, const std::string& name) {
  for (const auto& one : checks)
    if (auto found = one(); found.name == name)
      return found;
  ADD_FAILURE() << "no check is called " << name;
  return {};
}

/// Expects that it is wrong, is repaired, and is right then.
void expect_repairable(const std::vector<check>& checks,
                       const std::string& name, const std::string& word) {
  auto found = look(checks, name);
  EXPECT_NE(found.how, verdict::pass) << name;
  EXPECT_THAT(found.detail, HasSubstr(word));
  EXPECT_NE(found.remedy, "");
  ASSERT_TRUE(found.fix) << name;
  auto done = found.fix();
  EXPECT_TRUE(done) << to_string(done.error());
  EXPECT_EQ(look(checks, name).how, verdict::pass) << name;
}

mode_t mode_of(const std::string& path) {
  struct stat there {};
  EXPECT_EQ(::stat(path.c_str(), &there), 0) << path;
  return there.st_mode & 0777;
}

TEST(Doctor, MakesAHomeThatIsMissing) {
  private_directory dir;
  expect_repairable(home_checks(dir / "home"), "home", "does not exist");
  EXPECT_EQ(mode_of(dir / "home"), 0700u);
}

TEST(Doctor, ClosesAHomeThatIsOpenToOthers) {
  private_directory dir;
  ASSERT_TRUE(open_home(dir / "home"));
  fs::permissions(dir / "home", fs::perms{0755});
  expect_repairable(home_checks(dir / "home"), "home", "0755");
  EXPECT_EQ(mode_of(dir / "home"), 0700u);
}

TEST(Doctor, ClosesSecretsThatAreOpenToOthers) {
  private_directory dir;
  auto place = open_home(dir / "home");
  ASSERT_TRUE(place);
  std::ofstream{place->api_token()} << "token\n";
  std::ofstream{place->database()} << "rows\n";
  fs::permissions(place->api_token(), fs::perms{0644});
  fs::permissions(place->database(), fs::perms{0660});
  expect_repairable(home_checks(dir / "home"), "secrets", "open to others");
  EXPECT_EQ(mode_of(place->api_token()), 0600u);
  EXPECT_EQ(mode_of(place->database()), 0600u);
}

TEST(Doctor, RemovesWhatADeadHubHasLeftAndNothingOfALivingOne) {
  private_directory dir;
  auto place = open_home(dir / "home");
  ASSERT_TRUE(place);
  std::ofstream{place->pid_file()} << "12345\n";
  auto checks = home_checks(dir / "home");
  {
    auto lock = home_lock::take(*place);
    ASSERT_TRUE(lock);
    EXPECT_EQ(look(checks, "stale files").how, verdict::pass);
  }
  expect_repairable(checks, "stale files", "hub.pid");
  EXPECT_FALSE(fs::exists(place->pid_file()));
}

TEST(Doctor, NamesEachLimitOfTheHost) {
  auto checks = host_checks();
  for (auto name :
       {"git", "tmux", "open files", "terminals", "inotify", "linger"}) {
    auto found = look(checks, name);
    EXPECT_NE(found.detail, "") << name;
    // What is wrong says what to do.
    EXPECT_TRUE(found.how == verdict::pass || !found.remedy.empty()) << name;
  }
}

TEST(Doctor, MissesTheTokenOfAForgeAndTheProgramOfAnAgent) {
  ::unsetenv("AO_TEST_NO_TOKEN");
  std::optional<config_outcome> loaded
    = read("agents: {a: {adapter: command, command: [/no/such/program]}}\n"
           "projects: {app: {path: /src/app, agent: a}}\n");
  ASSERT_TRUE(loaded->value) << report(*loaded);
  auto found = look(configuration_checks(loaded), "agents");
  EXPECT_EQ(found.how, verdict::fail);
  EXPECT_THAT(found.detail, HasSubstr("/no/such/program"));
  // A login counts as much.
  loaded->value->agents["a"].command = {"/bin/true"};
  loaded->value->agents["a"].probe
    = {"/bin/sh", "-c", "echo log in >&2; false"};
  found = look(configuration_checks(loaded), "agents");
  EXPECT_EQ(found.how, verdict::fail);
  EXPECT_THAT(found.detail, HasSubstr("log in"));
  loaded->value->agents["a"].probe = {"/bin/true"};
  EXPECT_EQ(look(configuration_checks(loaded), "agents").how, verdict::pass);
  // So does a version that nobody has tried.
  loaded->value->agents["a"].adapter = "aider";
  found = look(configuration_checks(loaded), "agents");
  EXPECT_EQ(found.how, verdict::warn);
  EXPECT_THAT(found.detail, HasSubstr("aider is untested"));
  // The forge of another release: its settings are read all the same.
  auto& forge = loaded->value->projects.begin()->second.forge;
  forge.plugin = forge_kind::github;
  forge.token_env = "AO_TEST_NO_TOKEN";
  found = look(configuration_checks(loaded), "forge");
  EXPECT_EQ(found.how, verdict::fail);
  EXPECT_THAT(found.remedy, HasSubstr("AO_TEST_NO_TOKEN"));
}

} // namespace
