#include "runtime/git/planted.hpp"
#include "runtime/git/repository.hpp"

#include <gmock/gmock.h>

#include <memory>

#include "git_fixture.hpp"

using namespace ao;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

namespace {

/// A listing as git prints it.
std::string listing(
  const std::vector<std::tuple<std::string, std::string, std::string>>& rows) {
  std::string out;
  for (const auto& [scope, key, value] : rows)
    out += scope + '\0' + key + "\n" + value + '\0';
  return out;
}

TEST(PlantedSettings, LoseToWhatTheUserHasSet) {
  auto found = judge_settings(
    listing({{"global", "filter.lfs.clean", "git-lfs clean -- %f"},
             {"local", "filter.lfs.clean", "evil"},
             {"local", "filter.lfs.required", "true"},
             {"worktree", "filter.a=b.process", "evil"},
             {"local", "filter.a=b.process", "evil"}}),
    "");
  EXPECT_THAT(found.overrides,
              ElementsAre(Pair("filter.lfs.clean", "git-lfs clean -- %f"),
                          Pair("filter.lfs.required", "false"),
                          Pair("filter.a=b.process", "")));
  EXPECT_THAT(found.redirects, IsEmpty());
}

TEST(PlantedSettings, AreNotWhatTheUserHasSet) {
  auto found = judge_settings(
    listing({{"system", "core.sshcommand", "ssh -v"},
             {"global", "url.git@host:.insteadof", "https://host/"},
             {"global", "credential.helper", "store"},
             {"local", "remote.origin.url", "/forge.git"},
             {"local", "user.name", "Ann"}}),
    "/forge.git");
  EXPECT_THAT(found.overrides, IsEmpty());
  EXPECT_THAT(found.redirects, IsEmpty());
  EXPECT_FALSE(found.proxy);
  EXPECT_THAT(override_variables(found),
              ElementsAre(Pair("GIT_CONFIG_COUNT", "0")));
}

TEST(PlantedSettings, ThatLeadElsewhereAreNamed) {
  auto found
    = judge_settings(listing({{"local", "remote.origin.url", "/forge.git"},
                              {"local", "remote.origin.url", "/evil.git"},
                              {"worktree", "remote.origin.pushurl", "/evil"},
                              {"local", "url.ssh://evil/.pushinsteadof", "/"},
                              {"local", "remote.other.url", "/other"},
                              {"local", "remote.other.receivepack", "evil"},
                              {"local", "core.gitproxy", "evil"}}),
                     "/forge.git");
  EXPECT_THAT(found.redirects,
              ElementsAre("remote.origin.url", "remote.origin.pushurl",
                          "url.ssh://evil/.pushinsteadof",
                          "remote.other.receivepack"));
  EXPECT_TRUE(found.proxy);
}

TEST(PlantedSettings, OfCredentialsLeaveTheUsersHelpers) {
  auto found
    = judge_settings(listing({{"global", "credential.helper", "store"},
                              {"local", "credential.helper", "!evil"},
                              {"local", "credential.https://x.helper", "!e"}}),
                     "");
  EXPECT_THAT(found.overrides,
              ElementsAre(Pair("credential.helper", ""),
                          Pair("credential.helper", "store")));
}

TEST(PlantedSettings, AreReadFromAnyBytes) {
  for (const auto* text : {"", "local", "local\0", "local\0\0", "local\0key",
                           "local\0filter.\n\0", "\0\0\0\0"})
    for (std::size_t size = 0; size <= 16; ++size)
      judge_settings({text, std::min(size, std::string_view{text}.size())}, "");
}

const wall_time now{milliseconds{1'795'464'000'123}};

/// An agent's worktree in which every program that git can be told to start
/// leaves its name in a file.
class Planted : public git_fixture {
protected:
  void SetUp() override {
    git_fixture::SetUp();
    commit(checkout, "first", {{"a.txt", "a\n"}});
    origin = root / "origin.git";
    git({"clone", "--quiet", "--bare", checkout.string(), origin.string()},
        root);
    git({"config", "core.hooksPath", (origin / "hooks").string()}, origin);
    cache = std::make_unique<repository_cache>(runner, root / "repos/app.git",
                                               origin.string());
    ASSERT_TRUE(cache->init());
    ASSERT_TRUE(cache->fetch());
    tree = provision(1);
    commit(tree, "work", {{"b.txt", "b\n"}});
  }

  fs::path provision(int n) {
    auto id = "app-" + std::to_string(n);
    worktree_spec s{
      session_id{id},          "ao/" + id,     "refs/remotes/origin/main",
      root / "worktrees" / id, root / "hooks", {}};
    EXPECT_TRUE(cache->add_worktree(s));
    EXPECT_TRUE(cache->checkout(s.path));
    EXPECT_TRUE(cache->configure(s));
    return s.path;
  }

  /// A program that leaves `name`, whatever it is called with.
  std::string trap(const std::string& name) {
    auto path = root / "traps" / name;
    put(path,
        "#!/bin/sh\necho " + name + " >>'" + (root / "sprung").string()
          + "'\n");
    fs::permissions(path, fs::perms::owner_all);
    return path.string();
  }

  /// What the agent's own git writes.
  void set(const std::string& key, const std::string& value,
           const fs::path& where = {}) {
    auto dir = where.empty() ? tree : where;
    git({"config", "--add", key, value}, dir);
  }

  void plant_everything(const fs::path& where) {
    for (const auto* key : {"filter.evil.clean",
                            "filter.evil.smudge",
                            "filter.evil.process",
                            "filter.a=b.clean",
                            "diff.external",
                            "diff.evil.command",
                            "diff.evil.textconv",
                            "merge.evil.driver",
                            "core.sshCommand",
                            "core.gitProxy",
                            "core.alternateRefsCommand",
                            "core.fsmonitor",
                            "core.editor",
                            "core.pager",
                            "core.askPass",
                            "gpg.program",
                            "sequence.editor",
                            "remote.origin.uploadpack",
                            "remote.origin.receivepack",
                            "interactive.diffFilter",
                            "pager.status"})
      set(key, trap(key), where);
    set("filter.evil.required", "true", where);
    set("credential.helper", "!" + trap("credential.helper"), where);
    for (const auto* verb : {"status", "push", "fetch", "add", "config"})
      set("alias." + std::string{verb}, "!" + trap("alias"), where);
    set("commit.gpgSign", "true", where);
    set("log.showSignature", "true", where);
    put(root / "included",
        "[filter \"included\"]\n clean = " + trap("included") + "\n");
    set("include.path", (root / "included").string(), where);
    set("includeIf.gitdir:/**.path", (root / "included").string(), where);
    put((where.empty() ? tree : where) / ".gitattributes",
        "*.txt filter=evil diff=evil merge=evil\n*.c filter=included\n"
        "*.h filter=a=b\n");
  }

  /// All that the hub does with a worktree. Whether each step succeeds is
  /// another question.
  void do_everything() {
    (void)cache->inspect(tree);
    (void)cache->live_hunks(tree, "refs/remotes/origin/main");
    (void)cache->ahead_of(tree, "refs/remotes/origin/main");
    (void)cache->save_rescue(tree, session_id{"app-1"}, now);
    (void)cache->park(tree, session_id{"app-1"}, 1, 1, now);
    (void)cache->kept(session_id{"app-1"});
    (void)cache->push(tree, "ao/app-1", {});
    (void)cache->fetch();
    (void)cache->remove_worktree(tree);
  }

  std::string sprung() {
    return fs::exists(root / "sprung") ? get(root / "sprung") : "";
  }

  fs::path origin;
  fs::path tree;
  std::unique_ptr<repository_cache> cache;
};

TEST_F(Planted, ProgramsOfAnAgentsConfigurationDoNotRun) {
  plant_everything({});
  put(tree / "b.txt", "changed\n");
  put(tree / "c.c", "new\n");
  put(tree / "c.h", "new\n");
  fs::remove(root / "sprung");
  auto state = cache->inspect(tree);
  ASSERT_TRUE(state) << to_string(state.error());
  EXPECT_TRUE(state->dirty);
  EXPECT_TRUE(cache->live_hunks(tree, "refs/remotes/origin/main"));
  EXPECT_EQ(*cache->ahead_of(tree, "refs/remotes/origin/main"), 1u);
  auto kept = cache->save_rescue(tree, session_id{"app-1"}, now);
  ASSERT_TRUE(kept) << to_string(kept.error());
  EXPECT_EQ(git({"show", kept->ref + ":b.txt"}, root / "repos/app.git"),
            "changed");
  EXPECT_TRUE(cache->park(tree, session_id{"app-1"}, 1, 1, now));
  auto pushed = cache->push(tree, "ao/app-1", {});
  EXPECT_TRUE(pushed) << to_string(pushed.error());
  EXPECT_TRUE(cache->fetch());
  provision(2);
  EXPECT_TRUE(cache->remove_worktree(tree, true));
  EXPECT_TRUE(cache->delete_branch("ao/app-1", "refs/heads/main", true));
  EXPECT_EQ(sprung(), "");
}

TEST_F(Planted, AddressesAreRemoved) {
  auto evil = root / "evil.git";
  git({"clone", "--quiet", "--bare", checkout.string(), evil.string()}, root);
  for (const auto* hook : {"pre-receive", "post-receive", "update"}) {
    fs::create_directories(evil / "hooks");
    fs::copy_file(trap("evil"), evil / "hooks" / hook,
                  fs::copy_options::overwrite_existing);
  }
  git({"config", "core.hooksPath", (evil / "hooks").string()}, evil);
  set("remote.origin.pushurl", evil.string());
  git({"config", "--worktree", "--add", "remote.origin.pushurl", evil.string()},
      tree);
  set("url." + evil.string() + ".insteadOf", origin.string());
  git({"config", "remote.origin.url", evil.string()}, tree);
  auto pushed = cache->push(tree, "ao/app-1", {});
  EXPECT_TRUE(pushed) << to_string(pushed.error());
  EXPECT_EQ(git({"rev-parse", "ao/app-1"}, origin),
            git({"rev-parse", "HEAD"}, tree));
  EXPECT_TRUE(cache->fetch());
  EXPECT_EQ(sprung(), "");
}

TEST_F(Planted, AddressesThatCannotBeRemovedAreNamed) {
  put(root / "included", "[remote \"origin\"]\n pushurl = /evil.git\n");
  set("include.path", (root / "included").string());
  auto pushed = cache->push(tree, "ao/app-1", {});
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().code, ec::wrong_state);
  EXPECT_THAT(pushed.error().context,
              testing::HasSubstr("sets remote.origin.pushurl"));
}

TEST_F(Planted, RepositoriesInsideAreGuardedToo) {
  auto part = tree / "part";
  fs::create_directories(part);
  git({"init", "--quiet", "--initial-branch=main", "."}, part);
  commit(part, "part", {{"p.txt", "p\n"}});
  git({"add", "part"}, tree);
  git({"commit", "--quiet", "-m", "link"}, tree);
  plant_everything(part);
  put(part / "p.txt", "changed\n");
  fs::remove(root / "sprung");
  auto state = cache->inspect(tree);
  ASSERT_TRUE(state) << to_string(state.error());
  EXPECT_TRUE(state->dirty);
  do_everything();
  EXPECT_EQ(sprung(), "");
}

TEST_F(Planted, AReplacedDotGitIsRefused) {
  auto foreign = root / "foreign";
  fs::create_directories(foreign);
  git({"init", "--quiet", "--initial-branch=main", "."}, foreign);
  commit(foreign, "foreign", {{"f.txt", "f\n"}});
  plant_everything(foreign);
  fs::remove(root / "sprung");
  auto refused = [&](const std::string& how) {
    SCOPED_TRACE(how);
    do_everything();
    EXPECT_FALSE(cache->inspect(tree));
    EXPECT_FALSE(cache->push(tree, "ao/app-1", {}));
    EXPECT_FALSE(cache->save_rescue(tree, session_id{"app-1"}, now));
    EXPECT_EQ(sprung(), "");
    EXPECT_EQ(get(tree / "b.txt"), "b\n");
  };
  fs::remove(tree / ".git");
  put(tree / ".git", "gitdir: " + (foreign / ".git").string() + "\n");
  refused("a file that names another repository");
  fs::remove(tree / ".git");
  fs::copy(foreign / ".git", tree / ".git", fs::copy_options::recursive);
  refused("a repository");
  fs::remove_all(tree / ".git");
  fs::create_directory_symlink(foreign / ".git", tree / ".git");
  refused("a link");
}

TEST_F(Planted, AReplacedCommonDirectoryStartsNothing) {
  auto foreign = root / "foreign";
  fs::create_directories(foreign);
  git({"init", "--quiet", "--initial-branch=main", "."}, foreign);
  commit(foreign, "foreign", {{"f.txt", "f\n"}});
  plant_everything(foreign);
  put(tree / "b.txt", "changed\n");
  auto git_dir = fs::path{git({"rev-parse", "--absolute-git-dir"}, tree)};
  put(git_dir / "commondir", (foreign / ".git").string() + "\n");
  fs::remove(root / "sprung");
  do_everything();
  EXPECT_EQ(sprung(), "");
  EXPECT_EQ(get(tree / "b.txt"), "changed\n");
}

} // namespace
