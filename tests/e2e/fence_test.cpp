#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <fstream>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

using variables = std::map<std::string, std::string>;

/// Commits in its worktree and stays.
constexpr const char* resident = R"(
echo "by $AO_SESSION, epoch $AO_EPOCH" > "$AO_SESSION.txt"
git add --all
git commit --quiet --message "Work of $AO_SESSION"
echo > "$HOME/$AO_SESSION.ready"
exec sleep 1000
)";

/// Two sessions with agents that live and have committed.
class Fence : public testing::Test {
protected:
  Fence() {
    w.add_agent("resident", resident);
    w.start();
    for (const auto* title : {"First", "Second"}) {
      auto task = w.add_task(title);
      EXPECT_EQ(w.ao({"spawn", task}).status.code, 0);
    }
    main = w.git(w.forge(), {"rev-parse", "main"});
  }

  /// Pushes from the worktree of `session` with the variables of its agent.
  finished push(const std::string& session, std::vector<std::string> words,
                const variables& more = {}) {
    auto env = w.environment_of(session);
    for (const auto& [name, value] : more)
      env[name] = value;
    words.insert(words.begin(), "push");
    return w.try_git(w.worktree(session), std::move(words), env);
  }

  /// The forge refuses, says so, records it, and keeps its refs.
  void expect_refused(const finished& end, const std::string& line) {
    EXPECT_NE(end.status.code, 0) << end.out << end.err;
    EXPECT_THAT(end.err, HasSubstr("ao: push refused: " + line));
    auto all = w.events();
    ASSERT_FALSE(all.empty());
    std::size_t found = 0;
    json last;
    for (const auto& e : all)
      if (e["kind"] == "push_refused") {
        ++found;
        last = e;
      }
    EXPECT_EQ(found, ++refusals);
    ASSERT_TRUE(last.is_object());
    EXPECT_THAT(last["data"]["reason"].dump(), HasSubstr(line));
    EXPECT_EQ(w.git(w.forge(), {"rev-parse", "main"}), main);
  }

  std::string branches() {
    return w.git(w.forge(),
                 {"for-each-ref", "--format=%(refname:short)", "refs/heads"});
  }

  world w;
  std::string main;
  std::size_t refusals = 0;
};

TEST_F(Fence, LetsASessionPushItsOwnBranch) {
  auto end = push("app-1", {});
  ASSERT_EQ(end.status.code, 0) << end.err;
  EXPECT_EQ(branches(), "ao/app-1\nmain");
  EXPECT_EQ(w.git(w.forge(), {"rev-parse", "ao/app-1"}),
            w.git(w.worktree("app-1"), {"rev-parse", "HEAD"}));
}

TEST_F(Fence, RefusesABranchOfSomebodyElse) {
  expect_refused(push("app-1", {"origin", "HEAD:refs/heads/ao/app-2"}),
                 "ao/app-2 is not the branch of app-1 (ao/app-1)");
  expect_refused(push("app-1", {"origin", "HEAD:refs/heads/new"}),
                 "new is not the branch of app-1");
  expect_refused(push("app-1", {"origin", "HEAD:refs/heads/main"}),
                 "only the merge queue moves main");
  expect_refused(push("app-1", {"--force", "origin", "HEAD:main"}),
                 "only the merge queue moves main");
  expect_refused(push("app-1", {"origin", "HEAD:refs/tags/v1"}),
                 "tags are not pushed");
  // All or nothing: the own branch does not carry another one in.
  expect_refused(push("app-1", {"origin", "HEAD:ao/app-1", "HEAD:ao/app-2"}),
                 "ao/app-2 is not the branch of app-1");
  EXPECT_EQ(branches(), "main");
  ASSERT_EQ(push("app-1", {}).status.code, 0);
  expect_refused(push("app-1", {"origin", ":ao/app-1"}),
                 "ao/app-1 is not deleted by a push");
  EXPECT_EQ(branches(), "ao/app-1\nmain");
}

TEST_F(Fence, RefusesWhoeverIsNoSession) {
  expect_refused(push("app-1", {}, {{"AO_TOKEN", ""}, {"AO_SOCKET", ""}}),
                 "no session");
  // From the user's own checkout as well.
  auto user = w.try_git(w.checkout(),
                        {"push", w.forge().string(), "HEAD:refs/heads/x"});
  expect_refused(user, "no session");
  // A token with a letter changed.
  auto token = w.environment_of("app-1")["AO_TOKEN"];
  token.back() = token.back() == 'A' ? 'B' : 'A';
  auto forged = push("app-1", {}, {{"AO_TOKEN", token}});
  EXPECT_NE(forged.status.code, 0);
  EXPECT_THAT(forged.err, HasSubstr("ao: push refused: "));
  EXPECT_EQ(branches(), "main");
}

TEST_F(Fence, RefusesAStaleEpochHoweverItIsPushed) {
  // The claim moves on to another session while the first one's agent, here
  // played by its variables, knows nothing of it.
  auto killed = w.ao({"session", "kill", "app-1"});
  ASSERT_EQ(killed.status.code, 0) << killed.err;
  ASSERT_EQ(w.ao({"task", "retry", "T1"}).status.code, 0);
  auto again = w.ask({"spawn", "T1"});
  EXPECT_EQ(again["id"], "app-3");
  EXPECT_EQ(again["epoch"], 2);
  const std::string line = "stale epoch 1 (current 2)";
  expect_refused(push("app-1", {}), line);
  expect_refused(push("app-1", {"--force"}), line);
  // Whatever the client's side is told to skip: the forge itself refuses.
  expect_refused(push("app-1", {"--no-verify"}), line);
  auto end = w.try_git(w.worktree("app-1"),
                       {"-c", "core.hooksPath=/dev/null", "push", "--no-verify",
                        "origin", "HEAD:ao/app-1"},
                       w.environment_of("app-1"));
  expect_refused(end, line);
  fs::create_directory(w.root() / "no-hooks");
  auto everywhere
    = push("app-1", {"--no-verify", "origin", "HEAD:ao/app-1"},
           {{"GIT_CONFIG_COUNT", "1"},
            {"GIT_CONFIG_KEY_0", "core.hooksPath"},
            {"GIT_CONFIG_VALUE_0", (w.root() / "no-hooks").string()}});
  expect_refused(everywhere, line);
  std::ofstream{w.user() / ".gitconfig", std::ios::app}
    << "[core]\n\thooksPath = " << (w.root() / "no-hooks").string() << "\n";
  expect_refused(push("app-1", {"--no-verify"}), line);
  expect_refused(push("app-1", {"origin", "HEAD:ao/app-3"}), line);
  EXPECT_EQ(branches(), "main");
  // The present holder is not disturbed.
  auto good = push("app-3", {});
  EXPECT_EQ(good.status.code, 0) << good.err;
  EXPECT_EQ(branches(), "ao/app-3\nmain");
}

TEST_F(Fence, RefusesWhoeverGaveItsClaimBack) {
  auto killed = w.ao({"session", "kill", "app-1"});
  ASSERT_EQ(killed.status.code, 0) << killed.err;
  expect_refused(push("app-1", {"--no-verify"}), "app-1 holds no claim");
  EXPECT_EQ(branches(), "main");
}

TEST_F(Fence, TakesNoStateFromAStaleSession) {
  auto agent = w.environment_of("app-1");
  ao_call how;
  how.env = {{"AO_SOCKET", agent["AO_SOCKET"]},
             {"AO_TOKEN", agent["AO_TOKEN"]},
             {"AO_SESSION", "app-1"}};
  EXPECT_EQ(w.ao({"report", "working", "--note", "x"}, how).status.code, 0);
  // Nor may a session do what is the operator's.
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"spawn", "T2"},
                                             {"stop"},
                                             {"task", "add", "x"},
                                             {"session", "kill", "app-2"},
                                             {"task", "cancel", "T2"}}) {
    auto end = w.ao(words, how);
    EXPECT_EQ(end.status.code, 6) << words[0] << ": " << end.err;
  }
  ASSERT_EQ(w.ao({"session", "kill", "app-1"}).status.code, 0);
  ASSERT_EQ(w.ao({"task", "retry", "T1"}).status.code, 0);
  ASSERT_EQ(w.ao({"spawn", "T1"}).status.code, 0);
  auto end = w.ao({"report", "completed"}, how);
  EXPECT_NE(end.status.code, 0);
  EXPECT_EQ(w.ask({"task", "show", "T1"})["session"], "app-3");
}

} // namespace
