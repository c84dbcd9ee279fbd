#include "runtime/git/names.hpp"
#include "runtime/git/repository.hpp"

#include <atomic>
#include <memory>
#include <thread>

#include "git_fixture.hpp"

using namespace ao;

namespace {

const wall_time now{milliseconds{1'795'464'000'123}};

class Repository : public git_fixture {
protected:
  void SetUp() override {
    git_fixture::SetUp();
    base = commit(checkout, "first",
                  {{"a.txt", "a\n"}, {".gitignore", "*.o\nbuild/\n"}});
    origin = root / "origin.git";
    git({"clone", "--quiet", "--bare", checkout.string(), origin.string()},
        root);
    cache = make_cache();
    ASSERT_TRUE(cache->init());
    ASSERT_TRUE(cache->fetch());
  }

  std::unique_ptr<repository_cache> make_cache() {
    return std::make_unique<repository_cache>(runner, root / "repos/app.git",
                                              origin.string());
  }

  worktree_spec spec(int n) {
    auto id = "app-" + std::to_string(n);
    return {session_id{id},          "ao/" + id,     "refs/remotes/origin/main",
            root / "worktrees" / id, root / "hooks", {}};
  }

  fs::path provision(int n) {
    auto s = spec(n);
    EXPECT_TRUE(cache->add_worktree(s));
    EXPECT_TRUE(cache->checkout(s.path));
    EXPECT_TRUE(cache->configure(s));
    return s.path;
  }

  /// The text of a file in a commit.
  std::string show(const std::string& what) {
    return git({"show", what}, root / "repos/app.git");
  }

  std::vector<std::string> files_of(const std::string& commit) {
    return split_nul(git({"ls-tree", "-r", "-z", "--name-only", commit},
                         root / "repos/app.git"));
  }

  std::string base;
  fs::path origin;
  std::unique_ptr<repository_cache> cache;
};

TEST_F(Repository, GivesASessionItsFilesBranchAndIdentity) {
  auto tree = provision(1);
  EXPECT_EQ(get(tree / "a.txt"), "a\n");
  auto state = cache->inspect(tree);
  ASSERT_TRUE(state) << to_string(state.error());
  EXPECT_EQ(state->head, base);
  EXPECT_EQ(state->branch, "ao/app-1");
  EXPECT_FALSE(state->dirty);
  EXPECT_EQ(state->status_text, "");
  EXPECT_EQ(git({"config", "user.name"}, tree), "app-1");
  EXPECT_EQ(git({"config", "user.email"}, tree), "app-1@ao.invalid");
  EXPECT_EQ(*cache->ahead_of(tree, "refs/remotes/origin/main"), 0u);
  commit(tree, "work", {{"b.txt", "b\n"}});
  EXPECT_EQ(*cache->ahead_of(tree, "refs/remotes/origin/main"), 1u);
}

TEST_F(Repository, FreesABranchWithoutTouchingTheFilesOfWhoeverHasIt) {
  auto tree = provision(1);
  auto head = commit(tree, "work", {{"b.txt", "b\n"}});
  put(tree / "a.txt", "changed\n");
  put(tree / "new.txt", "new\n");
  EXPECT_EQ(*cache->place_of("ao/app-1"), fs::canonical(tree));
  EXPECT_TRUE(cache->place_of("ao/app-9")->empty());
  // Of another's branch nothing changes.
  ASSERT_TRUE(cache->leave_branch(tree, "ao/app-9"));
  EXPECT_EQ(cache->inspect(tree)->branch, "ao/app-1");
  auto before = cache->inspect(tree)->status_text;
  for (int twice = 0; twice < 2; ++twice) {
    auto left = cache->leave_branch(tree, "ao/app-1");
    ASSERT_TRUE(left) << to_string(left.error());
    auto state = cache->inspect(tree);
    ASSERT_TRUE(state) << to_string(state.error());
    EXPECT_EQ(state->branch, "");
    EXPECT_EQ(state->head, head);
    EXPECT_EQ(state->status_text, before);
    EXPECT_EQ(state->changed, 2u);
  }
  EXPECT_EQ(get(tree / "a.txt"), "changed\n");
  EXPECT_TRUE(cache->place_of("ao/app-1")->empty());
  // Another worktree may have it now.
  auto other = spec(2);
  other.branch = "ao/app-1";
  auto added = cache->add_worktree(other);
  ASSERT_TRUE(added) << to_string(added.error());
  ASSERT_TRUE(cache->checkout(other.path));
  EXPECT_EQ(cache->inspect(other.path)->head, head);
}

TEST_F(Repository, SetsABranchToWhatOriginHasAndKeepsTheRest) {
  auto tree = provision(1);
  auto pushed = commit(tree, "pushed", {{"b.txt", "b\n"}});
  ASSERT_TRUE(cache->push(tree, "ao/app-1", {}));
  auto kept = commit(tree, "not pushed", {{"c.txt", "c\n"}});
  auto refused = cache->follow_origin("ao/app-1", session_id{"app-1"}, now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::wrong_state);
  ASSERT_TRUE(cache->leave_branch(tree, "ao/app-1"));
  for (int twice = 0; twice < 2; ++twice) {
    auto done = cache->follow_origin("ao/app-1", session_id{"app-1"}, now);
    ASSERT_TRUE(done) << to_string(done.error());
    EXPECT_EQ(git({"rev-parse", "ao/app-1"}, cache->dir()), pushed);
    auto work = cache->kept(session_id{"app-1"});
    ASSERT_TRUE(work);
    ASSERT_EQ(work->size(), 1u);
    EXPECT_EQ(work->front().sha, kept);
  }
  // What only one of the two has stays.
  ASSERT_TRUE(cache->follow_origin("ao/app-7", session_id{"app-7"}, now));
  git({"branch", "ao/app-8", base}, cache->dir());
  ASSERT_TRUE(cache->follow_origin("ao/app-8", session_id{"app-8"}, now));
  EXPECT_EQ(git({"rev-parse", "ao/app-8"}, cache->dir()), base);
}

TEST_F(Repository, KnowsWhatALiveWorktreeChanges) {
  const auto* main = "refs/remotes/origin/main";
  auto tree = provision(1);
  EXPECT_EQ(*cache->live_hunks(tree, main), std::vector<hunk>{});
  put(tree / "a.txt", "changed\n");
  put(tree / "new\tname.txt", "new\n");
  put(tree / "build/out", "ignored\n");
  std::vector<hunk> all{{"a.txt", 1, 1}, {"new\tname.txt", 0, 0}};
  EXPECT_EQ(*cache->live_hunks(tree, main), all);
  git({"add", "--all"}, tree);
  EXPECT_EQ(*cache->live_hunks(tree, main), all);
  git({"commit", "--quiet", "--message", "work"}, tree);
  EXPECT_EQ(*cache->live_hunks(tree, main), all);
  // What the base has got meanwhile is nobody's work.
  commit(checkout, "other", {{"b.txt", "b\n"}});
  git({"push", "--quiet", origin.string(), "main"}, checkout);
  ASSERT_TRUE(cache->fetch());
  EXPECT_EQ(*cache->live_hunks(tree, main), all);
  EXPECT_EQ(*cache->live_hunks(tree, "refs/remotes/origin/none"),
            std::vector<hunk>{});
  EXPECT_FALSE(cache->live_hunks(root / "gone", main));
}

TEST_F(Repository, PrefersTheUsersIdentity) {
  put(root / "home/.gitconfig",
      "[user]\n name = Bob\n email = bob@example.org\n");
  auto tree = provision(1);
  EXPECT_EQ(git({"config", "user.name"}, tree), "Bob");
  EXPECT_EQ(git({"config", "user.email"}, tree), "bob@example.org");
}

TEST_F(Repository, LeavesWhatIsTrueAlready) {
  auto tree = provision(1);
  put(tree / "a.txt", "changed\n");
  put(tree / "new.txt", "new\n");
  cache = make_cache();
  ASSERT_TRUE(cache->init());
  EXPECT_EQ(provision(1), tree);
  EXPECT_EQ(get(tree / "a.txt"), "changed\n");
  EXPECT_EQ(get(tree / "new.txt"), "new\n");
  EXPECT_EQ(git({"config", "--get-all", "credential.helper"}, tree), "");
}

TEST_F(Repository, CompletesWhatACrashLeftHalfMade) {
  auto s = spec(1);
  auto bare = root / "repos/app.git";
  // Killed between branch and worktree.
  git({"branch", "ao/app-1", "refs/remotes/origin/main"}, bare);
  ASSERT_TRUE(cache->add_worktree(s));
  // Killed during the checkout.
  auto git_dir = fs::path{git({"rev-parse", "--absolute-git-dir"}, s.path)};
  put(git_dir / "index.lock", "");
  put(s.path / "a.txt", "");
  ASSERT_TRUE(cache->checkout(s.path));
  EXPECT_EQ(get(s.path / "a.txt"), "a\n");
  // The directory has gone.
  fs::remove_all(s.path);
  provision(1);
  EXPECT_EQ(get(s.path / "a.txt"), "a\n");
  EXPECT_FALSE(cache->inspect(s.path)->dirty);
}

TEST_F(Repository, AddsManyWorktreesAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> made{0};
  for (int n = 0; n < 8; ++n)
    threads.emplace_back([&, n] {
      for (int i = 0; i < 4; ++i) {
        auto s = spec(n * 4 + i);
        result<void> done = cache->fetch();
        if (done)
          done = cache->add_worktree(s);
        if (done)
          done = cache->checkout(s.path);
        if (done)
          done = cache->configure(s);
        EXPECT_TRUE(done) << to_string(done.error());
        made += done.has_value();
      }
    });
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(made, 32);
  for (int n = 0; n < 32; ++n)
    EXPECT_EQ(get(spec(n).path / "a.txt"), "a\n");
}

TEST_F(Repository, RefusesNamesAndPlacesThatAreNotItsOwn) {
  auto s = spec(1);
  for (auto name : {"--force", "-b", "a..b", "HEAD", "x;y z"}) {
    s.branch = name;
    EXPECT_EQ(cache->add_worktree(s).error().code, ec::bad_input) << name;
  }
  s = spec(1);
  s.base = "--exec=touch x";
  EXPECT_EQ(cache->add_worktree(s).error().code, ec::bad_input);
  s.base = "refs/remotes/origin/none";
  EXPECT_EQ(cache->add_worktree(s).error().code, ec::bad_input);
  s = spec(1);
  put(s.path / "precious", "x");
  EXPECT_EQ(cache->add_worktree(s).error().code, ec::wrong_state);
  EXPECT_EQ(get(s.path / "precious"), "x");
  provision(2);
  s = spec(3);
  s.branch = "ao/app-2";
  EXPECT_EQ(cache->add_worktree(s).error().code, ec::wrong_state);
  s.path = spec(2).path;
  s.branch = "ao/app-3";
  EXPECT_EQ(cache->add_worktree(s).error().code, ec::wrong_state);
}

TEST_F(Repository, GivesAReviewerTheHeadWithoutABranch) {
  auto work = commit(provision(1), "work", {{"b.txt", "b\n"}});
  auto detached = [&](int n) {
    auto s = spec(n);
    s.branch.clear();
    s.base = work;
    return s;
  };
  // Two of one head, and the author's own worktree beside them.
  for (int n : {2, 3}) {
    ASSERT_TRUE(cache->add_worktree(detached(n)));
    ASSERT_TRUE(cache->checkout(detached(n).path));
    ASSERT_TRUE(cache->configure(detached(n)));
    auto state = cache->inspect(detached(n).path);
    ASSERT_TRUE(state) << to_string(state.error());
    EXPECT_EQ(state->head, work);
    EXPECT_EQ(state->branch, "");
    EXPECT_EQ(get(detached(n).path / "b.txt"), "b\n");
  }
  // What is there is left as it is.
  put(spec(2).path / "b.txt", "changed\n");
  ASSERT_TRUE(cache->add_worktree(detached(2)));
  EXPECT_EQ(get(spec(2).path / "b.txt"), "changed\n");
  EXPECT_EQ(cache->remove_worktree(spec(2).path).error().code, ec::wrong_state);
  ASSERT_TRUE(cache->remove_worktree(spec(2).path, true));
  EXPECT_FALSE(fs::exists(spec(2).path));
  EXPECT_TRUE(fs::exists(spec(3).path));
  // A worktree with a branch is not taken for one without.
  auto s = detached(1);
  EXPECT_EQ(cache->add_worktree(s).error().code, ec::wrong_state);
}

TEST_F(Repository, FetchesWhileAWorktreePushes) {
  auto tree = provision(1);
  std::atomic<bool> done{false};
  std::thread fetching{[&] {
    while (!done) {
      auto news = cache->fetch();
      EXPECT_TRUE(news) << to_string(news.error());
    }
  }};
  for (int n = 0; n < 40; ++n) {
    commit(tree, "work", {{"b.txt", std::to_string(n)}});
    git({"push", "--quiet", "origin", "ao/app-1"}, tree);
  }
  done = true;
  fetching.join();
}

TEST_F(Repository, RunsNoHookOrMonitorThatSomebodyPlanted) {
  auto trap = [&](const fs::path& path) {
    put(path,
        "#!/bin/sh\necho \"$0\" >>'" + (root / "trapped").string() + "'\n");
    fs::permissions(path, fs::perms::owner_all);
    return path.string();
  };
  auto bare = root / "repos/app.git";
  put(root / "home/.gitconfig",
      "[core]\n hooksPath = " + (root / "planted").string()
        + "\n fsmonitor = " + trap(root / "monitor") + "\n");
  for (auto hook : {"post-checkout", "pre-push", "pre-commit",
                    "reference-transaction", "post-index-change"}) {
    trap(root / "planted" / hook);
    trap(bare / "hooks" / hook);
    trap(root / "hooks" / hook);
  }
  // As the forge has it: hooks of the receiving side are its own.
  git({"config", "core.hooksPath", (origin / "hooks").string()}, origin);
  auto tree = provision(1);
  put(tree / "new.txt", "x");
  ASSERT_TRUE(
    runner.ask({tree, {"config", "core.fsmonitor", trap(root / "monitor")}}));
  EXPECT_TRUE(cache->inspect(tree)->dirty);
  EXPECT_TRUE(cache->save_rescue(tree, session_id{"app-1"}, now));
  EXPECT_TRUE(cache->push(tree, "ao/app-1", {}));
  EXPECT_TRUE(cache->fetch());
  EXPECT_EQ(get(root / "trapped"), "");
}

TEST_F(Repository, LetsAPlainPushGoToOrigin) {
  auto tree = provision(1);
  auto head = commit(tree, "work", {{"b.txt", "b\n"}});
  git({"push", "--quiet"}, tree);
  EXPECT_EQ(git({"rev-parse", "ao/app-1"}, origin), head);
}

TEST_F(Repository, RunsTheSessionsOwnHookForTheAgent) {
  put(root / "hooks/pre-push", "#!/bin/sh\necho 'ao: no' >&2\nexit 1\n");
  fs::permissions(root / "hooks/pre-push", fs::perms::owner_all);
  auto tree = provision(1);
  auto end = try_git({"push"}, tree);
  EXPECT_NE(end.code, 0);
  EXPECT_NE(end.err.find("ao: no"), std::string::npos);
}

TEST_F(Repository, GoesOnWithABranchThatOnlyOriginHas) {
  auto other = root / "other";
  git({"clone", "--quiet", origin.string(), other.string()}, root);
  git({"switch", "--quiet", "--create", "ao/app-1"}, other);
  auto theirs = commit(other, "begun on another host", {{"b.txt", "b\n"}});
  git({"push", "--quiet", "origin", "ao/app-1"}, other);
  ASSERT_TRUE(cache->fetch());
  auto tree = provision(1);
  EXPECT_EQ(git({"rev-parse", "HEAD"}, tree), theirs);
  auto head = commit(tree, "and ended here", {{"c.txt", "c\n"}});
  auto pushed = cache->push(tree, "ao/app-1", {});
  ASSERT_TRUE(pushed) << to_string(pushed.error());
  EXPECT_EQ(*pushed, head);
}

TEST_F(Repository, PushesARewrittenBranchOnlyOverItsOwn) {
  auto tree = provision(1);
  commit(tree, "work", {{"b.txt", "b\n"}});
  ASSERT_TRUE(cache->push(tree, "ao/app-1", {}));
  git({"commit", "--quiet", "--amend", "-m", "better"}, tree);
  auto head = git({"rev-parse", "HEAD"}, tree);
  auto pushed = cache->push(tree, "ao/app-1", {});
  ASSERT_TRUE(pushed) << to_string(pushed.error());
  EXPECT_EQ(*pushed, head);
  EXPECT_EQ(*cache->push(tree, "ao/app-1", {}), head);
  // Somebody else adds to it, and the agent rewrites again.
  auto other = root / "other";
  git(
    {"clone", "--quiet", "--branch=ao/app-1", origin.string(), other.string()},
    root);
  auto theirs = commit(other, "fix by hand");
  git({"push", "--quiet", "origin", "HEAD"}, other);
  git({"commit", "--quiet", "--amend", "-m", "best"}, tree);
  auto refused = cache->push(tree, "ao/app-1", {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::ref_moved);
  EXPECT_EQ(git({"rev-parse", "ao/app-1"}, origin), theirs);
}

TEST_F(Repository, PushesAgainWhenItsOwnPushWasNotNoted) {
  auto tree = provision(1);
  auto head = commit(tree, "work", {{"b.txt", "b\n"}});
  // Pushed by a git that was killed before it updated its tracking ref.
  git({"fetch", "--quiet", tree.string(), "ao/app-1:ao/app-1"}, origin);
  git({"commit", "--quiet", "--amend", "-m", "better"}, tree);
  auto pushed = cache->push(tree, "ao/app-1", {});
  ASSERT_TRUE(pushed) << to_string(pushed.error());
  EXPECT_NE(*pushed, head);
}

TEST_F(Repository, ReportsTheForgesRefusal) {
  auto tree = provision(1);
  put(origin / "hooks/pre-receive",
      "#!/bin/sh\necho \"ao: push refused: $AO_TOKEN\" >&2\nexit 1\n");
  fs::permissions(origin / "hooks/pre-receive", fs::perms::owner_all);
  auto stale = cache->push(tree, "ao/app-1",
                           {{"AO_TOKEN", "stale epoch 1 (current 2)"}});
  ASSERT_FALSE(stale);
  EXPECT_EQ(
    stale.error(),
    (error{ec::stale_epoch, "ao: push refused: stale epoch 1 (current 2)"}));
  auto other = cache->push(tree, "ao/app-1", {{"AO_TOKEN", "no"}});
  EXPECT_EQ(other.error().code, ec::push_refused);
}

TEST_F(Repository, ShowsHostileFileNamesOnOneLineEach) {
  auto tree = provision(1);
  put(tree / "-rf", "x");
  put(tree / "line\nbreak", "x");
  put(tree / "esc\x1b[31m", "x");
  auto state = cache->inspect(tree);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->status_text,
            "?? -rf\n?? \"esc\\033[31m\"\n?? \"line\\nbreak\"\n");
  for (int i = 0; i < 50; ++i)
    put(tree / ("f" + std::to_string(i)), "x");
  state = cache->inspect(tree);
  EXPECT_EQ(
    std::count(state->status_text.begin(), state->status_text.end(), '\n'), 21);
  EXPECT_NE(state->status_text.find("... and 33 more\n"), std::string::npos);
}

// -- keeping -----------------------------------------------------------------

TEST_F(Repository, KeepsChangedUntrackedAndOddlyNamedFiles) {
  auto tree = provision(1);
  put(tree / "a.txt", "changed\n");
  put(tree / "-rf", "dash");
  put(tree / "line\nbreak", "newline");
  put(tree / "with space/:(top)x", "magic");
  put(tree / "x.o", "ignored");
  put(tree / "forced.o", "added against .gitignore");
  git({"add", "--force", "forced.o"}, tree);
  auto before = git({"status", "--porcelain"}, tree);
  auto kept = cache->save_rescue(tree, session_id{"app-1"}, now);
  ASSERT_TRUE(kept) << to_string(kept.error());
  EXPECT_EQ(kept->ref, "refs/ao/rescue/app-1/20261123T200000123Z");
  EXPECT_TRUE(kept->new_commit);
  EXPECT_EQ(git({"rev-parse", kept->ref + "^"}, root / "repos/app.git"), base);
  EXPECT_EQ(show(kept->ref + ":a.txt"), "changed");
  EXPECT_EQ(files_of(kept->ref),
            (std::vector<std::string>{"-rf", ".gitignore", "a.txt", "forced.o",
                                      "line\nbreak", "with space/:(top)x"}));
  EXPECT_EQ(git({"status", "--porcelain"}, tree), before);
  auto list = cache->kept(session_id{"app-1"});
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ(list->front().sha, kept->sha);
  EXPECT_TRUE(list->front().new_commit);
}

TEST_F(Repository, KeepsDeletionsAndTypeChanges) {
  auto tree = provision(1);
  fs::remove(tree / "a.txt");
  put(tree / "a.txt/now/a/dir", "x");
  fs::remove(tree / ".gitignore");
  fs::create_symlink("/etc/passwd", tree / "link");
  auto kept = cache->save_rescue(tree, session_id{"app-1"}, now);
  ASSERT_TRUE(kept) << to_string(kept.error());
  EXPECT_EQ(files_of(kept->ref),
            (std::vector<std::string>{"a.txt/now/a/dir", "link"}));
  EXPECT_EQ(show(kept->ref + ":link"), "/etc/passwd");
}

TEST_F(Repository, KeepsTheMiddleOfAMerge) {
  auto tree = provision(1);
  commit(tree, "ours", {{"a.txt", "ours\n"}});
  git({"checkout", "--quiet", "-b", "side", base}, tree);
  commit(tree, "theirs", {{"a.txt", "theirs\n"}});
  git({"checkout", "--quiet", "ao/app-1"}, tree);
  EXPECT_NE(try_git({"merge", "side"}, tree).code, 0);
  EXPECT_EQ(cache->inspect(tree)->operation, "merge");
  auto kept = cache->save_rescue(tree, session_id{"app-1"}, now);
  ASSERT_TRUE(kept) << to_string(kept.error());
  EXPECT_NE(show(kept->ref + ":a.txt").find("<<<<<<<"), std::string::npos);
  EXPECT_EQ(cache->inspect(tree)->operation, "merge");
  EXPECT_FALSE(cache->remove_worktree(tree));
}

TEST_F(Repository, KeepsTheFilesOfNestedRepositories) {
  auto tree = provision(1);
  git({"init", "--quiet", "empty"}, tree);
  git({"init", "--quiet", "sub"}, tree);
  commit(tree / "sub", "inner", {{"in.txt", "in\n"}});
  put(tree / "sub/dirty.txt", "dirty\n");
  git({"init", "--quiet", "sub/deep"}, tree);
  put(tree / "sub/deep/er.txt", "deep\n");
  auto kept = cache->save_rescue(tree, session_id{"app-1"}, now);
  ASSERT_TRUE(kept) << to_string(kept.error());
  EXPECT_EQ(files_of(kept->ref),
            (std::vector<std::string>{".gitignore", "a.txt", "sub/deep/er.txt",
                                      "sub/dirty.txt", "sub/in.txt"}));
}

TEST_F(Repository, KeepsWorkOverADamagedIndex) {
  auto tree = provision(1);
  put(tree / "new.txt", "x");
  auto git_dir = fs::path{git({"rev-parse", "--absolute-git-dir"}, tree)};
  put(git_dir / "index", "rubbish");
  auto kept = cache->save_rescue(tree, session_id{"app-1"}, now);
  ASSERT_TRUE(kept) << to_string(kept.error());
  EXPECT_EQ(show(kept->ref + ":new.txt"), "x");
}

TEST_F(Repository, KeepsWorkBeforeTheFirstCommit) {
  auto tree = provision(1);
  git({"checkout", "--quiet", "--orphan", "fresh"}, tree);
  git({"rm", "--quiet", "-r", "-f", "."}, tree);
  auto nothing = cache->save_rescue(tree, session_id{"app-1"}, now);
  ASSERT_TRUE(nothing) << to_string(nothing.error());
  EXPECT_TRUE(nothing->ref.empty());
  put(tree / "new.txt", "x");
  auto kept = cache->save_rescue(tree, session_id{"app-1"}, now);
  ASSERT_TRUE(kept) << to_string(kept.error());
  EXPECT_EQ(show(kept->ref + ":new.txt"), "x");
}

TEST_F(Repository, KeepsTheHeadItselfWhenAllIsCommitted) {
  auto tree = provision(1);
  auto head = commit(tree, "work");
  auto kept = cache->save_rescue(tree, session_id{"app-1"}, now);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->sha, head);
  EXPECT_FALSE(kept->new_commit);
}

TEST_F(Repository, ParksUnderOneNameWithoutLosingAnything) {
  auto tree = provision(1);
  session_id id{"app-1"};
  put(tree / "new.txt", "one");
  auto one = cache->park(tree, id, 3, 2, now);
  ASSERT_TRUE(one) << to_string(one.error());
  EXPECT_EQ(one->ref, "refs/ao/parked/app-1/e3-r2");
  EXPECT_EQ(cache->park(tree, id, 3, 2, now)->sha, one->sha);
  put(tree / "new.txt", "two");
  auto two = cache->park(tree, id, 3, 2, now);
  ASSERT_TRUE(two);
  EXPECT_EQ(show(two->ref + ":new.txt"), "two");
  EXPECT_TRUE(*runner.contains(tree, one->sha, two->sha));
  fs::remove(tree / "new.txt");
  auto three = cache->park(tree, id, 3, 2, now);
  ASSERT_TRUE(three);
  EXPECT_TRUE(*runner.contains(tree, two->sha, three->sha));
}

TEST_F(Repository, KeepsNothingUnderAHostileSession) {
  auto tree = provision(1);
  for (auto id : {"../../heads/main", "a b", "x.lock", ""})
    EXPECT_EQ(cache->save_rescue(tree, session_id{id}, now).error().code,
              ec::bad_input)
      << id;
}

// -- undoing -----------------------------------------------------------------

TEST_F(Repository, RemovesOnlyWhatIsKeptElsewhere) {
  auto tree = provision(1);
  put(tree / "new.txt", "x");
  EXPECT_EQ(cache->remove_worktree(tree).error().code, ec::wrong_state);
  EXPECT_EQ(get(tree / "new.txt"), "x");
  ASSERT_TRUE(cache->save_rescue(tree, session_id{"app-1"}, now));
  EXPECT_TRUE(cache->remove_worktree(tree, true));
  EXPECT_FALSE(fs::exists(tree));
  EXPECT_TRUE(cache->remove_worktree(tree));
  EXPECT_TRUE(cache->delete_branch("ao/app-1", "refs/remotes/origin/main"));
  EXPECT_TRUE(cache->delete_branch("ao/app-1", "refs/remotes/origin/main"));
  // All can be made again.
  provision(1);
}

TEST_F(Repository, RemovesACleanWorktreeWithReadOnlyLeftovers) {
  auto tree = provision(1);
  put(tree / "build/cache/x.o", "x");
  fs::permissions(tree / "build/cache",
                  fs::perms::owner_read | fs::perms::owner_exec);
  auto removed = cache->remove_worktree(tree);
  EXPECT_TRUE(removed) << to_string(removed.error());
  EXPECT_FALSE(fs::exists(tree));
}

TEST_F(Repository, UndoesAWorktreeThatWasNeverFilled) {
  auto s = spec(1);
  ASSERT_TRUE(cache->add_worktree(s));
  EXPECT_TRUE(cache->remove_worktree(s.path));
  EXPECT_TRUE(cache->delete_branch(s.branch, s.base));
  EXPECT_FALSE(fs::exists(s.path));
}

TEST_F(Repository, KeepsAWorktreeItCannotJudge) {
  auto tree = provision(1);
  fs::remove(tree / ".git");
  EXPECT_EQ(cache->remove_worktree(tree).error().code, ec::wrong_state);
  EXPECT_EQ(get(tree / "a.txt"), "a\n");
  put(root / "worktrees/stranger/x", "x");
  EXPECT_EQ(cache->remove_worktree(root / "worktrees/stranger").error().code,
            ec::wrong_state);
  auto second = provision(2);
  git({"checkout", "--quiet", "--detach"}, second);
  commit(second, "on no branch");
  EXPECT_EQ(cache->remove_worktree(second).error().code, ec::wrong_state);
}

TEST_F(Repository, DeletesNoBranchWithWorkOfItsOwn) {
  auto tree = provision(1);
  commit(tree, "work");
  EXPECT_EQ(
    cache->delete_branch("ao/app-1", "refs/remotes/origin/main").error().code,
    ec::wrong_state);
  ASSERT_TRUE(cache->remove_worktree(tree));
  auto kept = cache->delete_branch("ao/app-1", "refs/remotes/origin/main");
  EXPECT_EQ(kept.error().code, ec::wrong_state);
  EXPECT_TRUE(
    cache->delete_branch("ao/app-1", "refs/remotes/origin/main", true));
}

// -- links -------------------------------------------------------------------

TEST_F(Repository, LinksSharedDirectoriesOutOfGitsSight) {
  auto tree = provision(1);
  put(checkout / "node_modules/x", "x");
  put(checkout / "odd [name] *", "x");
  std::vector<std::string> paths{"node_modules", "absent", "odd [name] *"};
  for (int i = 0; i < 2; ++i) {
    auto linked = cache->link(tree, checkout, paths);
    ASSERT_TRUE(linked) << to_string(linked.error());
  }
  EXPECT_EQ(get(tree / "node_modules/x"), "x");
  EXPECT_FALSE(cache->inspect(tree)->dirty);
  ASSERT_TRUE(cache->remove_worktree(tree));
  EXPECT_EQ(get(checkout / "node_modules/x"), "x");
}

TEST_F(Repository, LinksNothingOutsideTheWorktree) {
  put(checkout / "dir/x", "x");
  auto tree = provision(1);
  for (auto path : {"../x", "/etc", "a/../../x", ".git", ".", ""})
    EXPECT_EQ(cache->link(tree, checkout, {path}).error().code, ec::bad_input)
      << path;
  EXPECT_EQ(cache->link(tree, checkout, {"a.txt"}).error().code, ec::bad_input);
  EXPECT_EQ(get(tree / "a.txt"), "a\n");
  fs::create_directory_symlink(root, tree / "dir");
  EXPECT_EQ(cache->link(tree, checkout, {"dir/x"}).error().code, ec::bad_input);
  EXPECT_FALSE(fs::exists(root / "x"));
}

TEST_F(Repository, FollowsAChangeOfOrigin) {
  auto moved = root / "moved.git";
  fs::rename(origin, moved);
  origin = moved;
  EXPECT_FALSE(cache->fetch());
  cache = make_cache();
  ASSERT_TRUE(cache->init());
  EXPECT_TRUE(cache->fetch());
}

TEST_F(Repository, FetchKeepsBranchesThatOriginHasNot) {
  auto tree = provision(1);
  auto head = commit(tree, "work");
  ASSERT_TRUE(cache->push(tree, "ao/app-1", {}));
  git({"branch", "--quiet", "-D", "ao/app-1"}, origin);
  ASSERT_TRUE(cache->fetch());
  EXPECT_EQ(cache->inspect(tree)->head, head);
}

} // namespace
