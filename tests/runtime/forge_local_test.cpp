#include "runtime/forge/local.hpp"
#include "runtime/forge/squash.hpp"
#include "runtime/git/names.hpp"
#include "runtime/git/repository.hpp"

#include <memory>

#include "git_fixture.hpp"

using namespace ao;

namespace {

const merge_author queue{{"Ann", "ann@example.org"},
                         wall_time{milliseconds{1'795'464'000'123}}};

const change_id change_3{"app#3"};

class LocalForge : public git_fixture {
protected:
  void SetUp() override {
    git_fixture::SetUp();
    first = commit(checkout, "first", {{"a.txt", "1\n2\n3\n4\n5\n6\n7\n8\n"}});
    git({"tag", "v1"}, checkout);
    // The stand-in for `ao hook`: lets everything pass and says so.
    put(root / "ao", "#!/bin/sh\necho \"ran $2\" >&2\ncat >/dev/null\n");
    fs::permissions(root / "ao", fs::perms::owner_all);
    forge = make_forge();
    auto seeded = forge->seed(checkout);
    ASSERT_TRUE(seeded) << to_string(seeded.error());
    work = root / "work";
    git({"clone", "--quiet", forge->dir().string(), work.string()}, root);
  }

  std::unique_ptr<local_forge> make_forge(const std::string& base = "main") {
    return std::make_unique<local_forge>(runner, root / "forge/app.git", base,
                                         hook_target{root / "ao", root, "app"});
  }

  /// A commit on a branch from `from`, pushed to the forge.
  std::string
  change(const std::string& branch, const std::string& from,
         const std::vector<std::pair<std::string, std::string>>& files) {
    git({"checkout", "--quiet", "-B", branch, from}, work);
    auto sha = commit(work, "change " + branch, files);
    git({"push", "--quiet", "--force", "origin", "HEAD"}, work);
    return sha;
  }

  result<merged> merge(const std::string& base, const std::string& head,
                       merge_method method = merge_method::squash) {
    return forge->merge_result(
      base, head, method,
      squash_message(
        {"Title", change_id{"app#3"}, task_id{"T42"}, session_id{"app-7"}, 4}),
      queue);
  }

  std::string show(const std::string& what) {
    return git({"show", "--no-patch", "--format=%B", what}, forge->dir());
  }

  std::string first;
  std::unique_ptr<local_forge> forge;
  fs::path work;
};

TEST_F(LocalForge, HasTheHeadsAndTagsOfTheCheckout) {
  EXPECT_EQ(**forge->head_of("main"), first);
  EXPECT_EQ(git({"rev-parse", "v1"}, forge->dir()), first);
  EXPECT_EQ(git({"symbolic-ref", "HEAD"}, forge->dir()), "refs/heads/main");
  EXPECT_FALSE(*forge->head_of("none"));
}

TEST_F(LocalForge, NeverWritesToTheCheckout) {
  put(checkout / "uncommitted", "x");
  auto before = fingerprint(checkout);
  fs::remove_all(forge->dir());
  forge = make_forge();
  ASSERT_TRUE(forge->seed(checkout));
  ASSERT_TRUE(forge->seed(checkout));
  ASSERT_TRUE(forge->sync_base(checkout));
  ASSERT_TRUE(forge->clean_checkout(first, root / "ci"));
  EXPECT_EQ(fingerprint(checkout), before);
}

TEST_F(LocalForge, IsNotSeededTwice) {
  auto head = change("ao/app-1", "main", {{"b.txt", "b\n"}});
  ASSERT_TRUE(forge->advance("main", head, first, change_3));
  forge = make_forge();
  ASSERT_TRUE(forge->seed(checkout));
  EXPECT_EQ(**forge->head_of("main"), head);
}

TEST_F(LocalForge, CompletesAHalfMadeSeed) {
  fs::remove_all(forge->dir());
  git({"init", "--quiet", "--bare", forge->dir().string()}, root);
  ASSERT_TRUE(forge->seed(checkout));
  EXPECT_EQ(**forge->head_of("main"), first);
}

TEST_F(LocalForge, SaysWhatIsWrongWithACheckout) {
  auto code = [&](const fs::path& path, const std::string& base = "main") {
    fs::remove_all(root / "forge");
    auto seeded = make_forge(base)->seed(path);
    return seeded ? ec::none : seeded.error().code;
  };
  fs::create_directories(root / "plain");
  git({"init", "--quiet", "--initial-branch=main", "empty"}, root);
  EXPECT_EQ(code(root / "absent"), ec::no_repository);
  EXPECT_EQ(code(root / "plain"), ec::no_repository);
  EXPECT_EQ(code(root / "empty"), ec::no_repository);
  EXPECT_EQ(code(checkout, "develop"), ec::no_repository);
  EXPECT_EQ(code(checkout, "--upload-pack=x"), ec::bad_input);
  EXPECT_EQ(code(checkout), ec::none);
}

TEST_F(LocalForge, ServesAShallowCheckout) {
  commit(checkout, "second", {{"b.txt", "b\n"}});
  git(
    {"clone", "--quiet", "--depth=1", "file://" + checkout.string(), "shallow"},
    root);
  fs::remove_all(forge->dir());
  auto seeded = forge->seed(root / "shallow");
  ASSERT_TRUE(seeded) << to_string(seeded.error());
  fs::remove_all(work);
  git({"clone", "--quiet", "file://" + forge->dir().string(), work.string()},
      root);
  auto head = change("ao/app-1", "main", {{"c.txt", "c\n"}});
  EXPECT_TRUE(merge(**forge->head_of("main"), head));
  repository_cache cache{runner, root / "repos/app.git", forge->dir().string()};
  ASSERT_TRUE(cache.init());
  auto fetched = cache.fetch();
  EXPECT_TRUE(fetched) << to_string(fetched.error());
  auto ci = forge->clean_checkout(head, root / "ci");
  EXPECT_TRUE(ci) << to_string(ci.error());
}

TEST_F(LocalForge, RunsItsHooksWhateverThePusherConfigured) {
  put(root / "home/.gitconfig", "[core]\n hooksPath = /dev/null\n");
  git({"checkout", "--quiet", "-b", "ao/app-1"}, work);
  commit(work, "x", {{"b.txt", "b\n"}});
  auto end = try_git({"push", "origin", "HEAD"}, work);
  EXPECT_EQ(end.code, 0) << end.err;
  EXPECT_NE(end.err.find("ran pre-receive"), std::string::npos);
  EXPECT_NE(end.err.find("ran post-receive"), std::string::npos);
}

TEST_F(LocalForge, RefusesHiddenRefsAndDeletionsEvenWithoutAHook) {
  change("ao/app-1", "main", {{"b.txt", "b\n"}});
  EXPECT_NE(try_git({"push", "origin", "HEAD:refs/ao/x"}, work).code, 0);
  EXPECT_NE(try_git({"push", "origin", ":ao/app-1"}, work).code, 0);
}

// -- following the checkout ---------------------------------------------------

TEST_F(LocalForge, FollowsTheCheckoutForward) {
  using state = base_sync::state;
  EXPECT_EQ(forge->sync_base(checkout)->what, state::same);
  auto second = commit(checkout, "second");
  auto sync = forge->sync_base(checkout);
  ASSERT_TRUE(sync) << to_string(sync.error());
  EXPECT_EQ(sync->what, state::advanced);
  EXPECT_EQ(sync->ours, second);
  EXPECT_EQ(**forge->head_of("main"), second);
}

TEST_F(LocalForge, StaysAheadOfACheckoutThatHasNotPulled) {
  auto head = change("ao/app-1", "main", {{"b.txt", "b\n"}});
  ASSERT_TRUE(forge->advance("main", head, first, change_3));
  auto sync = forge->sync_base(checkout);
  EXPECT_EQ(sync->what, base_sync::state::ahead);
  EXPECT_EQ(**forge->head_of("main"), head);
}

TEST_F(LocalForge, LeavesADivergedBaseAlone) {
  auto head = change("ao/app-1", "main", {{"b.txt", "b\n"}});
  ASSERT_TRUE(forge->advance("main", head, first, change_3));
  auto theirs = commit(checkout, "theirs");
  auto sync = forge->sync_base(checkout);
  ASSERT_TRUE(sync);
  EXPECT_EQ(sync->what, base_sync::state::diverged);
  EXPECT_EQ(sync->ours, head);
  EXPECT_EQ(sync->theirs, theirs);
  EXPECT_EQ(**forge->head_of("main"), head);
}

TEST_F(LocalForge, SeesARewrittenCheckoutAsDiverged) {
  git({"commit", "--quiet", "--amend", "-m", "other"}, checkout);
  EXPECT_EQ(forge->sync_base(checkout)->what, base_sync::state::diverged);
  EXPECT_EQ(**forge->head_of("main"), first);
}

// -- merging
// -------------------------------------------------------------------

TEST_F(LocalForge, SquashesWithTheContractsMessage) {
  auto head = change("ao/app-1", "main", {{"b.txt", "b\n"}});
  auto done = merge(first, head);
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_TRUE(done->same_tree_as_head);
  EXPECT_FALSE(done->empty);
  EXPECT_EQ(git({"rev-parse", done->commit + "^@"}, forge->dir()), first);
  EXPECT_EQ(show(done->commit),
            "Title (app#3)\n\nAo-Task: T42\n"
            "Ao-Session: app-7\nAo-Epoch: 4\n");
  EXPECT_EQ(**forge->head_of("main"), first);
  // The same question has the same answer.
  EXPECT_EQ(merge(first, head)->commit, done->commit);
  EXPECT_FALSE(*forge->find_merge("main", change_id{"app#3"}));
  ASSERT_TRUE(forge->advance("main", done->commit, first, change_3));
  EXPECT_EQ(**forge->find_merge("main", change_id{"app#3"}), done->commit);
  EXPECT_FALSE(*forge->find_merge("main", change_id{"app#33"}));
}

TEST_F(LocalForge, MergesWithBothParents) {
  auto head = change("ao/app-1", "main", {{"b.txt", "b\n"}});
  auto base = change("ao/app-2", "main", {{"c.txt", "c\n"}});
  auto done = merge(base, head, merge_method::merge);
  ASSERT_TRUE(done);
  EXPECT_FALSE(done->same_tree_as_head);
  EXPECT_EQ(git({"rev-parse", done->commit + "^@"}, forge->dir()),
            base + "\n" + head);
}

TEST_F(LocalForge, RebasesEachCommitWithItsAuthorAndMessage) {
  auto base = change("ao/app-2", "main", {{"c.txt", "c\n"}});
  change("ao/app-1", "main", {{"b.txt", "b\n"}});
  commit(work, "empty on purpose");
  put(work / "a.txt", "1\n2\n3\n4\n5\n6\n7\neight\n");
  git({"commit", "--quiet", "-a", "--author=Eve <eve@example.org>", "-m",
       "subject\n\nbody -- with\n\nparagraphs"},
      work);
  git({"push", "--quiet", "origin", "HEAD"}, work);
  auto head = git({"rev-parse", "HEAD"}, work);
  auto done = merge(base, head, merge_method::rebase);
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_EQ(
    git({"log", "--format=%s", base + ".." + done->commit}, forge->dir()),
    "subject\nempty on purpose\nchange ao/app-1");
  EXPECT_EQ(git({"log", "-1", "--format=%an %ae", done->commit}, forge->dir()),
            "Eve eve@example.org");
  EXPECT_EQ(show(done->commit), "subject\n\nbody -- with\n\nparagraphs\n");
  EXPECT_EQ(git({"show", done->commit + ":c.txt"}, forge->dir()), "c");
  EXPECT_EQ(merge(base, head, merge_method::rebase)->commit, done->commit);
}

TEST_F(LocalForge, RebasesByPickingNotByMerging) {
  // A commit and its revert merge to nothing; each picked in turn conflicts
  // with a base that changed the same line.
  auto base = change("ao/app-2", "main", {{"a.txt", "one\n"}});
  change("ao/app-1", "main", {{"a.txt", "uno\n"}});
  git({"revert", "--no-edit", "HEAD"}, work);
  git({"push", "--quiet", "origin", "HEAD"}, work);
  auto head = git({"rev-parse", "HEAD"}, work);
  EXPECT_TRUE(merge(base, head, merge_method::squash));
  auto picked = merge(base, head, merge_method::rebase);
  ASSERT_FALSE(picked);
  EXPECT_EQ(picked.error().code, ec::merge_conflict);
}

TEST_F(LocalForge, FindsARebaseThoughOthersWentOnFromIt) {
  auto head = change("ao/app-1", "main", {{"b.txt", "b\n"}});
  auto main = change("main-2", "main", {{"c.txt", "c\n"}});
  auto done = merge(main, head, merge_method::rebase);
  ASSERT_TRUE(done);
  EXPECT_EQ(forge->find_merge("main", change_3), std::nullopt);
  ASSERT_TRUE(forge->advance("main", done->commit, first, change_3));
  git({"fetch", "--quiet"}, work);
  auto further = change("main-3", "origin/main", {{"b.txt", "other\n"}});
  ASSERT_TRUE(
    forge->advance("main", further, done->commit, change_id{"app#30"}));
  // Merging it again would be a conflict.
  EXPECT_FALSE(merge(further, head, merge_method::rebase));
  EXPECT_EQ(forge->find_merge("main", change_3), done->commit);
  EXPECT_EQ(forge->find_merge("main", change_id{"app#4"}), std::nullopt);
}

TEST_F(LocalForge, FindsASquashBehindAMergeOfThePersons) {
  auto head = change("ao/app-1", "main", {{"b.txt", "b\n"}});
  commit(checkout, "mine", {{"mine.txt", "mine\n"}});
  auto done = merge(first, head);
  ASSERT_TRUE(done);
  ASSERT_TRUE(forge->advance("main", done->commit, first, change_3));
  git({"pull", "--quiet", "--no-rebase", "--no-edit", forge->dir().string(),
       "main"},
      checkout);
  ASSERT_EQ(forge->sync_base(checkout)->what, base_sync::state::advanced);
  EXPECT_EQ(forge->find_merge("main", change_3), done->commit);
}

TEST_F(LocalForge, RebaseOfADescendantIsTheDescendant) {
  auto head = change("ao/app-1", "main", {{"b.txt", "b\n"}});
  auto done = merge(first, head, merge_method::rebase);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->commit, head);
}

TEST_F(LocalForge, DropsCommitsThatTheBaseHasAlready) {
  change("ao/app-1", "main", {{"b.txt", "b\n"}});
  auto head = git({"rev-parse", "HEAD"}, work);
  auto base = change("ao/app-2", "main", {{"b.txt", "b\n"}, {"c", "c\n"}});
  auto done = merge(base, head, merge_method::rebase);
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_EQ(done->commit, base);
  EXPECT_TRUE(done->empty);
}

TEST_F(LocalForge, KnowsAChangeThatAddsNothing) {
  git({"checkout", "--quiet", "-b", "ao/app-1"}, work);
  auto head = commit(work, "nothing");
  git({"push", "--quiet", "origin", "HEAD"}, work);
  auto done = merge(first, head);
  ASSERT_TRUE(done);
  EXPECT_TRUE(done->empty);
  EXPECT_NE(done->commit, first);
  for (auto method :
       {merge_method::squash, merge_method::merge, merge_method::rebase})
    EXPECT_EQ(merge(head, first, method)->commit, head);
}

TEST_F(LocalForge, NamesTheFilesOfAConflict) {
  std::string odd = "-odd \"name\"\n";
  auto base = change("ao/app-2", "main",
                     {{"a.txt", "base\n"}, {odd, "base\n"}, {"b\xff", "x\n"}});
  auto head = change("ao/app-1", "main",
                     {{"a.txt", "head\n"}, {odd, "head\n"}, {"b\xff", "y\n"}});
  for (auto method :
       {merge_method::squash, merge_method::merge, merge_method::rebase}) {
    auto done = merge(base, head, method);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ec::merge_conflict);
    EXPECT_EQ(done.error().context, "conflict in -odd \"name\", a.txt, b?");
    EXPECT_EQ(done.error().details,
              (std::vector<std::pair<std::string, std::string>>{
                {"file", odd}, {"file", "a.txt"}, {"file", "b?"}}));
  }
}

TEST_F(LocalForge, RefusesUnrelatedHistories) {
  git({"checkout", "--quiet", "--orphan", "ao/app-1"}, work);
  auto head = commit(work, "other", {{"a.txt", "other\n"}});
  git({"push", "--quiet", "origin", "HEAD"}, work);
  auto done = merge(first, head);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ec::git_failed);
}

TEST_F(LocalForge, AdvancesByCompareAndSwap) {
  auto a = change("ao/app-1", "main", {{"b.txt", "b\n"}});
  auto b = change("ao/app-2", "main", {{"c.txt", "c\n"}});
  ASSERT_TRUE(forge->advance("main", a, first, change_3));
  EXPECT_TRUE(forge->advance("main", a, first, change_3));
  auto lost = forge->advance("main", b, first, change_3);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ec::ref_moved);
  EXPECT_EQ(lost.error().details.at(0).second, a);
  EXPECT_EQ(forge->advance("main", zero_oid(), a, change_3).error().code,
            ec::bad_input);
  EXPECT_EQ(forge->advance("../x", b, a, change_3).error().code, ec::bad_input);
}

TEST_F(LocalForge, DeletesAMergedBranchButNeverTheBase) {
  auto a = change("ao/app-1", "main", {{"b.txt", "b\n"}});
  EXPECT_EQ(forge->delete_branch("ao/app-1", first).error().code,
            ec::ref_moved);
  EXPECT_TRUE(forge->delete_branch("ao/app-1", a));
  EXPECT_TRUE(forge->delete_branch("ao/app-1", a));
  EXPECT_EQ(forge->delete_branch("main", first).error().code, ec::bad_input);
}

// -- reading
// -------------------------------------------------------------------

TEST_F(LocalForge, CountsWhatAChangeDoes) {
  auto head = change("ao/app-1", "main",
                     {{"a.txt", "1\n2\n3\n4\n5\n6\n7\neight\nnine\n"},
                      {"odd\n\"name", "x\n"},
                      {"bin", std::string("\0\1\2", 3)}});
  // The base moves on; that is no part of the change.
  auto base = change("ao/app-2", "main", {{"c.txt", "c\n"}});
  auto stat = forge->diffstat(base, head);
  ASSERT_TRUE(stat) << to_string(stat.error());
  EXPECT_EQ(stat->added, 3u);
  EXPECT_EQ(stat->removed, 1u);
  ASSERT_EQ(stat->files.size(), 3u);
  EXPECT_EQ(stat->files[0].path, "a.txt");
  EXPECT_TRUE(stat->files[1].binary);
  EXPECT_EQ(stat->files[2].path, "odd\n\"name");
  EXPECT_EQ(*forge->ahead(base, head), 1u);
  EXPECT_EQ(*forge->merge_base(base, head), first);
  EXPECT_EQ(*forge->merge_base(head, head), head);
  EXPECT_EQ(forge->merge_base("--all", head).error().code, ec::bad_input);
}

TEST_F(LocalForge, FindsTheLinesOfTheBaseThatAreTouched) {
  auto base = change(
    "ao/app-2", "main",
    {{"a.txt", "-- a/x\n2\n3\n4\n5\n6\n7\n8\n"}, {"\xc3\xa4 \"b\"", "1\n"}});
  auto head = change("ao/app-1", base,
                     {{"a.txt", "++ b/y\n2\n3\n4\n5\n6\n6a\n7\n"},
                      {"\xc3\xa4 \"b\"", "2"},
                      {"new", "n\n"}});
  auto hunks = forge->changed_hunks(base, head);
  ASSERT_TRUE(hunks) << to_string(hunks.error());
  std::string text;
  for (const auto& h : *hunks)
    text += h.path + ":" + std::to_string(h.first) + "+"
      + std::to_string(h.count) + "\n";
  EXPECT_EQ(text,
            "a.txt:1+1\na.txt:6+0\na.txt:8+1\nnew:0+0\n"
            "\xc3\xa4 \"b\":1+1\n");
}

TEST_F(LocalForge, TakesOnlyObjectNames) {
  EXPECT_EQ(forge->diffstat("--output=/tmp/x", first).error().code,
            ec::bad_input);
  EXPECT_EQ(merge("--x", first).error().code, ec::bad_input);
  EXPECT_EQ(forge->clean_checkout("main", root / "ci").error().code,
            ec::bad_input);
  EXPECT_EQ(forge->contains("--all", first).error().code, ec::bad_input);
}

// -- CI
// ------------------------------------------------------------------------

TEST_F(LocalForge, ChecksOutACleanTreeForCi) {
  auto trap = "#!/bin/sh\ntouch '" + (root / "trapped").string() + "'\n";
  for (auto hook : {"post-checkout", "reference-transaction"}) {
    put(root / "planted" / hook, trap);
    fs::permissions(root / "planted" / hook, fs::perms::owner_all);
  }
  put(root / "home/.gitconfig",
      "[core]\n hooksPath = " + (root / "planted").string()
        + "\n[filter \"evil\"]\n smudge = touch '" + (root / "trapped").string()
        + "'; cat\n");
  auto head = change("ao/app-1", "main",
                     {{"b.txt", "b\n"}, {".gitattributes", "* filter=evil\n"}});
  fs::remove(root / "trapped");
  auto ci = root / "ci/app#3";
  ASSERT_TRUE(forge->clean_checkout(head, ci));
  EXPECT_EQ(get(ci / "b.txt"), "b\n");
  EXPECT_FALSE(fs::exists(root / "trapped"));
  EXPECT_EQ(git({"remote"}, ci), "");
  EXPECT_EQ(git({"rev-parse", "HEAD"}, ci), head);
  EXPECT_EQ(git({"describe", "--tags", "origin/main"}, ci), "v1");
  // What the last run left is gone.
  put(ci / "left/over", "x");
  put(ci / "b.txt", "changed");
  ASSERT_TRUE(forge->clean_checkout(head, ci));
  EXPECT_FALSE(fs::exists(ci / "left"));
  EXPECT_EQ(get(ci / "b.txt"), "b\n");
}

TEST_F(LocalForge, MakesAHalfMadeOrHalfRemovedCheckoutAnew) {
  auto ci = root / "ci";
  auto expect_made = [&](const char* what) {
    auto made = forge->clean_checkout(first, ci);
    EXPECT_TRUE(made) << what << ": " << to_string(made.error());
    EXPECT_EQ(git({"status", "--porcelain"}, ci), "") << what;
    EXPECT_EQ(git({"rev-parse", "HEAD"}, ci), first) << what;
  };
  fs::create_directories(ci);
  expect_made("nothing but its directory");
  fs::remove_all(ci);
  fs::create_directories(ci / ".git");
  expect_made("not yet marked");
  for (const auto& entry : fs::directory_iterator{ci / ".git"})
    if (entry.path().filename() != "ao-checkout")
      fs::remove_all(entry.path());
  expect_made("only marked");
  for (const auto& entry : fs::directory_iterator{ci / ".git"})
    fs::remove_all(entry.path());
  fs::remove(ci / "a.txt");
  for (const auto& entry : fs::directory_iterator{ci})
    if (entry.path().filename() != ".git")
      fs::remove_all(entry.path());
  expect_made("its mark removed last");
}

TEST_F(LocalForge, DoesNotClearAForeignDirectory) {
  put(root / "foreign/.git/config", "x");
  EXPECT_EQ(forge->clean_checkout(first, root / "foreign").error().code,
            ec::wrong_state);

  put(root / "precious/x", "x");
  EXPECT_EQ(forge->clean_checkout(first, root / "precious").error().code,
            ec::wrong_state);
  EXPECT_EQ(get(root / "precious/x"), "x");
}

// -- messages
// --------------------------------------------------------------------

TEST(SquashMessage, LetsNoTitleAddALine) {
  merge_note note{"Fix\n\nAo-Epoch: 99\r\n\x1b[31m(app#1)", change_id{"app#3"},
                  task_id{"T42"}, session_id{"app-7"}, 4};
  EXPECT_EQ(squash_message(note),
            "Fix Ao-Epoch: 99 [31m(app#1) (app#3)\n\nAo-Task: T42\n"
            "Ao-Session: app-7\nAo-Epoch: 4\n");
  note.title = " \n";
  EXPECT_EQ(squash_message(note).substr(0, 11), "T42 (app#3)");
  note.title = std::string(1000, 'x');
  EXPECT_LT(squash_message(note).find('\n'), 200u);
}

} // namespace
