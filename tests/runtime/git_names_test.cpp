#include "runtime/git/hook.hpp"
#include "runtime/git/names.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <sys/stat.h>

#include "git_fixture.hpp"

using namespace ao;

TEST(BranchName, IsJudgedAsGitJudgesIt) {
  for (auto name :
       {"main", "ao/app-7", "a.b/c", "@a", "feature/\xc3\xa4", "-a/b"})
    EXPECT_EQ(valid_branch(name), name[0] != '-') << name;
  for (auto name :
       {"",         "-",   "--force", "-x",   "HEAD", "@",    "a..b",
        "a b",      "a~b", "a^b",     "a:b",  "a?b",  "a*b",  "a[b",
        "a\\b",     "/a",  "a/",      "a//b", ".a",   "a/.b", "a.lock",
        "a.lock/b", "a.",  "a@{b",    "a\nb", "a\x7f"})
    EXPECT_FALSE(valid_branch(name)) << name;
  EXPECT_FALSE(valid_branch(std::string(201, 'a')));
  EXPECT_FALSE(valid_branch(std::string_view{"a\0b", 3}));
}

RC_GTEST_PROP(BranchName, AgreesWithCheckRefFormat, ()) {
  static const git_runner runner;
  auto name = *rc::gen::container<std::string>(
    rc::gen::elementOf(std::string{"ab-.@{/~ *lock\x01\\"}));
  RC_PRE(name != "HEAD" && name != "@" && (name.empty() || name[0] != '-'));
  auto end = runner.run({"/", {"check-ref-format", branch_ref(name)}});
  RC_ASSERT(end.has_value());
  RC_ASSERT(valid_branch(name) == (end->code == 0));
}

TEST(InnerPath, StaysBelowItsDirectory) {
  for (auto path : {"a", "node_modules", "a/b c", "..a", "-x", ".env"})
    EXPECT_TRUE(valid_inner_path(path)) << path;
  for (auto path : {"", "/", "/etc", "..", "a/..", "../a", "a/../../b", ".",
                    "a/./b", "a//b", "a/", ".git", "a/.git/hooks"})
    EXPECT_FALSE(valid_inner_path(path)) << path;
  EXPECT_FALSE(valid_inner_path(std::string_view{"a\0", 2}));
}

TEST(OneLine, HoldsNothingThatMovesTheCursor) {
  EXPECT_EQ(one_line("  a\n\tb\x1b[31m c\r\n"), "a b [31m c");
  EXPECT_EQ(one_line("a\xff"
                     "b\xc3"),
            "a?b?");
  EXPECT_EQ(one_line("a\xe2\x80\xae"
                     "b\xe2\x80\xa8"
                     "c"),
            "a b c");
  EXPECT_EQ(one_line("\xf0\x9f\x9a\x80 \xc3\xa4"), "\xf0\x9f\x9a\x80 \xc3\xa4");
  EXPECT_EQ(one_line("aaaaaa", 5), "aa\xe2\x80\xa6");
  EXPECT_EQ(one_line("aaaaa", 5), "aaaaa");
}

RC_GTEST_PROP(OneLine, IsAlwaysShortValidUtf8OnOneLine, (std::string text)) {
  auto line = one_line(text, 20);
  RC_ASSERT(line.size() <= 20u);
  RC_ASSERT(valid_utf8(line));
  RC_ASSERT(line.find_first_of("\n\r\t\x1b") == std::string::npos);
  RC_ASSERT(one_line(line, 20) == line);
}

class GitRunner : public git_fixture {};

TEST_F(GitRunner, SaysWhatGitSaidLast) {
  auto out = runner.ask({checkout, {"cat-file", "-e", "refs/heads/none"}});
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, ec::git_failed);
  EXPECT_EQ(out.error().context.rfind("git cat-file: fatal: ", 0), 0u)
    << out.error().context;
}

TEST_F(GitRunner, NamesTheMissingProgram) {
  auto out = git_runner{"ao-no-such-git"}.ask({checkout, {"version"}});
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, ec::program_missing);
}

TEST_F(GitRunner, KeepsPasswordsOfUrlsOutOfErrors) {
  git_call call{checkout, {"fetch"}};
  auto e = git_failure(call,
                       {128, "",
                        "fatal: unable to access "
                        "'https://bob:s3cret@example.org/x/'"});
  EXPECT_EQ(e.context,
            "git fetch: fatal: unable to access "
            "'https://***@example.org/x/'");
}

TEST_F(GitRunner, DoesNotClimbIntoARepositoryAbove) {
  fs::create_directories(checkout / "inner");
  EXPECT_FALSE(runner.ask({checkout / "inner", {"rev-parse", "--git-dir"}}));
}

TEST_F(GitRunner, RefusesRevisionsThatAreOptions) {
  auto answer = runner.commit_of(checkout, "--all");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ec::bad_input);
}

TEST_F(GitRunner, ReadsTheUsersIdentity) {
  auto none = runner.users_identity();
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  put(root / "home/.gitconfig", "[user]\n name = Bob\n");
  EXPECT_FALSE(*runner.users_identity());
  put(root / "home/.gitconfig", "[include]\n path = more\n");
  put(root / "home/more", "[user]\n name = Bob\n email = bob@example.org\n");
  auto bob = runner.users_identity();
  ASSERT_TRUE(bob && *bob);
  EXPECT_EQ((*bob)->name, "Bob");
  EXPECT_EQ((*bob)->email, "bob@example.org");
}

TEST_F(GitRunner, MovesRefsByCompareAndSwap) {
  auto a = commit(checkout, "a");
  auto b = commit(checkout, "b");
  auto c = commit(checkout, "c");
  auto move = [&](const std::string& to, const std::string& from) {
    return runner.move_ref(checkout, "refs/ao/x", to, from, "test");
  };
  EXPECT_TRUE(move(a, zero_oid()));
  EXPECT_TRUE(move(b, a));
  // Repeated after a crash.
  EXPECT_TRUE(move(b, a));
  auto lost = move(c, a);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ec::ref_moved);
  EXPECT_EQ(lost.error().details.at(0).second, b);
  EXPECT_EQ(move(c, zero_oid()).error().code, ec::ref_moved);
  EXPECT_EQ(move(zero_oid(), a).error().code, ec::ref_moved);
  EXPECT_TRUE(move(zero_oid(), b));
  EXPECT_TRUE(move(zero_oid(), b));
  EXPECT_FALSE(*runner.commit_of(checkout, "refs/ao/x"));
}

class GitHook : public git_fixture {};

TEST_F(GitHook, StartsAoWithItsHomeProjectAndInput) {
  auto ao = root / "it's ao";
  put(ao, "#!/bin/sh\necho \"$AO_HOME|$*|$(cat)\"\n");
  fs::permissions(ao, fs::perms::owner_all);
  auto hooks = checkout / ".git/hooks";
  ASSERT_TRUE(
    install_hook(hooks, "pre-receive", {ao, root / "a $HOME", "a;b"}));
  auto before = fs::last_write_time(hooks / "pre-receive");
  ASSERT_TRUE(
    install_hook(hooks, "pre-receive", {ao, root / "a $HOME", "a;b"}));
  EXPECT_EQ(fs::last_write_time(hooks / "pre-receive"), before);
  struct stat info {};
  ASSERT_EQ(::stat((hooks / "pre-receive").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0755u);
  auto bare = root / "bare.git";
  git({"init", "--quiet", "--bare", bare.string()}, root);
  fs::copy(hooks / "pre-receive", bare / "hooks/pre-receive");
  auto a = commit(checkout, "a");
  auto end = try_git({"push", bare.string(), "main"}, checkout);
  EXPECT_EQ(end.code, 0);
  EXPECT_NE(end.err.find((root / "a $HOME").string() + "|hook pre-receive|"
                         + std::string(40, '0') + " " + a),
            std::string::npos)
    << end.err;
}

TEST_F(GitHook, RefusesWhenAoIsGone) {
  auto bare = root / "bare.git";
  git({"init", "--quiet", "--bare", bare.string()}, root);
  ASSERT_TRUE(
    install_hook(bare / "hooks", "pre-receive", {root / "gone", root, "app"}));
  commit(checkout, "a");
  auto end = try_git({"push", bare.string(), "main"}, checkout);
  EXPECT_NE(end.code, 0);
  EXPECT_NE(end.err.find("ao: push refused: "), std::string::npos);
}
