// Each head of a change is reviewed by a session of its own, which cannot
// push; its verdict reaches the author or the merge queue. Authors do not
// review themselves, and a reviewer that says nothing is not waited for in
// silence.

#include "tests/support/agent_scripts.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <set>

using namespace ao;
using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
namespace fs = std::filesystem;

namespace {

/// Commits in each run; keeps its prompts.
constexpr const char* author = R"(
cp "$AO_PROMPT_FILE" "$HOME/author.$AO_RUN"
echo "run $AO_RUN" > work
git add --all
git commit --quiet --message "Run $AO_RUN"
)";

/// Keeps what it was told, then does what `verdict` says.
std::string reviewer(const std::string& verdict) {
  return "cp \"$AO_PROMPT_FILE\" \"$HOME/$AO_SESSION.$AO_RUN\"\n"
         "git rev-parse HEAD > \"$HOME/$AO_SESSION.head\"\n"
         "echo \"$AO_ROLE $AO_CHANGE\" > \"$HOME/$AO_SESSION.role\"\n"
    + verdict + "echo left > \"$HOME/$AO_SESSION.left\"\n";
}

const std::string approves = "echo 'Well done' | ao review submit --approve "
                             "--file -\n";

world_options reviewed(const std::string& merge = "requireReview: true") {
  world_options options;
  options.project = ", reviewer: {agent: reviewer}, merge: {" + merge + "}";
  return options;
}

/// The sessions of reviewers, ended ones too.
std::vector<json> reviewers(const world& w) {
  std::vector<json> out;
  auto all = w.ask({"session", "ls", "--include-terminated"});
  for (const auto& s : all["data"])
    if (s["role"] == "reviewer")
      out.push_back(s);
  return out;
}

json change_of(const world& w) {
  return w.ask({"pr", "show", "app#1"});
}

class Reviews : public testing::Test {
protected:
  /// Starts the hub and lets the author work.
  void begin(world& w, const std::string& verdict,
             const std::string& work = author) {
    w.add_agent("author", work);
    w.add_agent("reviewer", reviewer(verdict));
    w.start();
    auto spawned = w.ao({"spawn", w.add_task("Write it", "with `care`")});
    ASSERT_EQ(spawned.status.code, 0) << spawned.err;
  }
};

} // namespace

TEST_F(Reviews, ApproveAndTheChangeIsMerged) {
  world w{reviewed()};
  begin(w, approves);
  w.await("merged", "change:app#1");
  w.await("session_cleaned", "session:app-2");
  auto head = w.await("change_opened", "change:app#1")["data"]["sha"];
  EXPECT_EQ(content_of(w.user() / "app-2.head"),
            head.get<std::string>() + "\n");
  EXPECT_EQ(content_of(w.user() / "app-2.role"), "reviewer app#1\n");
  EXPECT_EQ(content_of(w.user() / "app-2.left"), "left\n");
  auto prompt = content_of(w.user() / "app-2.1");
  auto base = w.git(w.checkout(), {"rev-parse", "main"});
  EXPECT_THAT(prompt,
              HasSubstr("git diff " + base + "..." + head.get<std::string>()));
  EXPECT_THAT(prompt, HasSubstr("```\nWrite it\n\nwith `care`\n```\n"));
  EXPECT_THAT(prompt, HasSubstr("ao review submit --approve --file"));

  // Who approved, where people look.
  auto approved = w.await("approved", "change:app#1");
  EXPECT_EQ(approved["data"]["by"], "session/app-2");
  EXPECT_EQ(approved["data"]["text"], "Well done\n");
  auto story = w.ao({"why", "T1"});
  EXPECT_THAT(story.out, HasSubstr("app-2 reviews "));
  EXPECT_THAT(story.out, HasSubstr("by session/app-2: Well done"));
  auto shown = w.ao({"pr", "show", "app#1"});
  EXPECT_THAT(shown.out,
              HasSubstr(": approved by session/app-2\n"
                        "  Well done\n"));

  // Nothing of it is left: worktree, claim, branch.
  EXPECT_FALSE(fs::exists(w.worktree("app-2")));
  auto s = w.ask({"session", "show", "app-2"});
  EXPECT_EQ(s["status"], "done");
  EXPECT_EQ(s["role"], "reviewer");
  EXPECT_EQ(s["branch"], nullptr);
  EXPECT_EQ(s["claim"], nullptr);
  EXPECT_THAT(w.panes(), Not(Contains("app-2")));
  EXPECT_EQ(reviewers(w).size(), 1u);
}

TEST_F(Reviews, RequestChangesThatTheAuthorMakes) {
  world w{reviewed()};
  begin(w, R"(
grep -q 'run 2' work && verdict=--approve || verdict=--request-changes
echo 'Name it `run 2`.' > "$HOME/text"
ao review submit $verdict --file "$HOME/text"
)");
  w.await("merged", "change:app#1");
  auto heads = std::set<std::string>{content_of(w.user() / "app-2.head"),
                                     content_of(w.user() / "app-3.head")};
  EXPECT_EQ(heads.size(), 2u) << "each head has a review of its own";
  auto prompt = content_of(w.user() / "author.2");
  EXPECT_THAT(prompt,
              StartsWith("Changes requested on "
                         + content_of(w.user() / "app-2.head").substr(0, 12)
                         + " of app#1 by reviewer app-2:\n```\nName it "
                           "`run 2`.\n```\n"));
  auto requested = w.await("changes_requested", "change:app#1");
  EXPECT_EQ(requested["data"]["text"], "Name it `run 2`.\n");
  auto mail = w.ask({"messages", "app-1"})["data"];
  ASSERT_EQ(mail.size(), 1u);
  EXPECT_EQ(mail[0]["sender"], "incident/inc-1");
  EXPECT_EQ(reviewers(w).size(), 2u);
  EXPECT_EQ(w.git(w.forge(), {"show", "main:work"}), "run 2");
}

TEST_F(Reviews, AreTheOperatorsWhereNoAgentReviews) {
  world_options options;
  options.project = ", merge: {requireReview: true}";
  world w{options};
  begin(w, "");
  w.await("change_opened", "change:app#1");
  w.await("agent_exited", "session:app-1");
  auto row = w.ask({"status"})["data"][0];
  for (int i = 0; i < 600 && row["status"] != "review_pending"; ++i) {
    ::usleep(50'000);
    row = w.ask({"status"})["data"][0];
  }
  EXPECT_EQ(row["status"], "review_pending");
  EXPECT_EQ(row["reviewDecision"], "pending");
  EXPECT_EQ(row["summary"], "app#1 waits for a review");
  EXPECT_TRUE(reviewers(w).empty());

  // What is wrong is said before anything happens.
  EXPECT_EQ(w.ao({"review", "submit", "app#1"}).status.code, 2);
  EXPECT_EQ(w.ao({"review", "submit", "--approve"}).status.code, 2);
  EXPECT_EQ(
    w.ao({"review", "submit", "app#1", "--approve", "--request-changes"})
      .status.code,
    2);
  EXPECT_EQ(
    w.ao({"review", "submit", "app#1", "--request-changes"}).status.code, 2);
  EXPECT_EQ(w.ao({"review", "submit", "app#9", "--approve"}).status.code, 3);
  auto other = w.ao(
    {"review", "submit", "app#1", "--approve", "--sha", std::string(40, '1')});
  EXPECT_EQ(other.status.code, 4);
  EXPECT_THAT(other.err, HasSubstr("the review is of 111111111111"));
  EXPECT_EQ(change_of(w)["review"], "pending");

  ao_call words;
  words.input = "Once more, please";
  auto again = w.ao({"review", "submit", "app#1", "--request-changes", "--file",
                     "-", "--request-id", "r1"},
                    words);
  EXPECT_EQ(again.status.code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("\nCHANGE=app#1\n"));
  auto moved = w.await("head_moved", "change:app#1");
  EXPECT_THAT(content_of(w.user() / "author.2"),
              HasSubstr("by the operator:\n```\nOnce more, please\n```"));
  // The same request again has its first answer, whatever has moved since.
  auto repeated = w.ask({"review", "submit", "app#1", "--request-changes",
                         "--file", "-", "--request-id", "r1"},
                        words);
  EXPECT_EQ(repeated["verdict"], "changes_requested");
  EXPECT_NE(repeated["sha"], moved["data"]["head"]);
  EXPECT_EQ(change_of(w)["review"], "pending");

  auto approved
    = w.ask({"review", "submit", "app#1", "--approve", "--sha",
             moved["data"]["head"].get<std::string>().substr(0, 8)});
  EXPECT_EQ(approved["by"], "api");
  w.await("merged", "change:app#1");
  // The very review that has let it be merged is known, another comes late.
  EXPECT_EQ(w.ao({"review", "submit", "app#1", "--approve"}).status.code, 0);
  auto late = w.ao(
    {"review", "submit", "app#1", "--request-changes", "--file", "-"}, words);
  EXPECT_EQ(late.status.code, 4);
  EXPECT_THAT(late.err, HasSubstr("app#1 is merged"));
}

TEST_F(Reviews, AreNeverTheAuthorsOwn) {
  world w{reviewed()};
  // The author tries it as itself, then as if it were the operator.
  begin(w, scripts::waits_for("go") + approves,
        "export AO_HOME='" + w.home().string() + "'\n" + R"(
echo one > work
git add --all
git commit --quiet --message One
ao pr create
for tries in 1 2; do
  code=0
  ao review submit app#1 --approve > "$HOME/own.$tries" 2>&1 || code=$?
  echo $code > "$HOME/code.$tries"
  unset AO_SOCKET AO_TOKEN
done
touch "$HOME/tried"
)");
  w.await("agent_exited", "session:app-1");
  for (const auto* tries : {"1", "2"}) {
    EXPECT_EQ(content_of(w.user() / (std::string{"code."} + tries)), "6\n");
    EXPECT_THAT(content_of(w.user() / (std::string{"own."} + tries)),
                HasSubstr("not_allowed"));
  }
  EXPECT_EQ(change_of(w)["review"], "pending");
  w.touch("go");
  w.await("merged", "change:app#1");
}

TEST_F(Reviews, PublishNothing) {
  world w{reviewed()};
  begin(w, R"(
echo mine > work
git commit --quiet --all --message Mine
code=0
git push origin HEAD:refs/heads/mine > "$HOME/pushed" 2>&1 || code=$?
git push origin HEAD:ao/app-1 >> "$HOME/pushed" 2>&1 || true
git push >> "$HOME/pushed" 2>&1 || true
ao pr create >> "$HOME/pushed" 2>&1 || true
echo left over > untracked
)" + approves);
  w.await("merged", "change:app#1");
  w.await("session_cleaned", "session:app-2");
  EXPECT_THAT(content_of(w.user() / "pushed"),
              HasSubstr("app-2 has no branch to push"));
  EXPECT_EQ(w.git(w.forge(), {"show", "main:work"}), "run 1");
  EXPECT_EQ(
    w.git(w.forge(), {"for-each-ref", "--format=%(refname)", "refs/heads"}),
    "refs/heads/main");
  EXPECT_EQ(w.git(w.home() / "repos/app.git",
                  {"for-each-ref", "--format=%(refname)", "refs/ao"}),
            "");
  EXPECT_FALSE(fs::exists(w.worktree("app-2")));
  EXPECT_EQ(w.ask({"pr", "ls"})["data"].size(), 1u);
}

TEST_F(Reviews, AreRemindedOfOnceThenSaidToBeMissing) {
  world w{reviewed()};
  begin(w, "");
  auto missing = w.await("review_missing", "change:app#1");
  EXPECT_EQ(missing["data"]["why"],
            "app-2 ended its turn twice without a verdict");
  w.await("session_cleaned", "session:app-2");
  EXPECT_THAT(content_of(w.user() / "app-2.2"),
              HasSubstr("has no verdict yet"));
  EXPECT_FALSE(fs::exists(w.user() / "app-2.3"));
  EXPECT_EQ(reviewers(w).size(), 1u);
  auto row = w.ask({"status"})["data"][0];
  EXPECT_EQ(row["status"], "review_pending");
  EXPECT_EQ(row["summary"],
            "app#1 waits for a review: app-2 ended its turn "
            "twice without a verdict");
  EXPECT_THAT(w.ao({"why", "T1"}).out,
              HasSubstr("app-2 ended its turn twice without a verdict"));
  EXPECT_THAT(w.ao({"pr", "show", "app#1"}).out,
              HasSubstr("twice without a verdict"));
  // Neither a restart of the hub makes another try.
  w.kill_hub();
  w.start();
  EXPECT_EQ(change_of(w)["review"], "pending");
  EXPECT_EQ(w.ao({"review", "submit", "app#1", "--approve"}).status.code, 0);
  w.await("merged", "change:app#1");
  EXPECT_EQ(reviewers(w).size(), 1u);
}

TEST_F(Reviews, CountAfterTheReminder) {
  world w{reviewed()};
  begin(w, "[ \"$AO_RUN\" = 1 ] || " + approves);
  w.await("merged", "change:app#1");
  w.await("session_cleaned", "session:app-2");
  for (const auto& e : w.events("change:app#1"))
    EXPECT_NE(e["kind"], "review_missing");
  EXPECT_EQ(w.ask({"session", "show", "app-2"})["run"], 2);
}

TEST_F(Reviews, ThatAreMissingHoldNothingWhereNoneIsRequired) {
  world w{reviewed("auto: true")};
  begin(w, "");
  w.await("review_missing", "change:app#1");
  w.await("merged", "change:app#1");
}

TEST_F(Reviews, GoOnAfterACrashOfTheReviewer) {
  world w{reviewed()};
  begin(w, "[ \"$AO_RUN\" != 1 ] || kill -9 $$\n" + approves);
  w.await("merged", "change:app#1");
  EXPECT_EQ(content_of(w.user() / "app-2.1"), content_of(w.user() / "app-2.2"));
  EXPECT_EQ(w.ask({"session", "show", "app-2"})["restarts"], 1);
}

TEST_F(Reviews, AreOneForEachHeadThoughTheHubDies) {
  world w{reviewed()};
  begin(w, scripts::waits_for("go") + approves);
  for (int i = 0; i < 4; ++i) {
    w.kill_hub();
    w.start();
  }
  w.await("agent_started", "session:app-2");
  w.kill_hub();
  w.start();
  EXPECT_EQ(reviewers(w).size(), 1u);
  w.touch("go");
  w.await("merged", "change:app#1");
  EXPECT_EQ(reviewers(w).size(), 1u);
  int asked = 0;
  for (const auto& e : w.events("change:app#1"))
    asked += e["kind"] == "review_asked" ? 1 : 0;
  EXPECT_EQ(asked, 1);
  w.await("session_cleaned", "session:app-2");
}

TEST_F(Reviews, AreToldOnceThoughTheHubDies) {
  world w{reviewed()};
  begin(w,
        "grep -q 'run 2' work && verdict=--approve || "
        "verdict=--request-changes\n"
        "echo 'Name it run 2' | ao review submit $verdict --file -\n",
        "[ \"$AO_RUN\" = 1 ] || " + scripts::waits_for("go") + author);
  w.await("changes_requested", "change:app#1");
  for (int i = 0; i < 3; ++i) {
    w.kill_hub();
    w.start();
  }
  w.touch("go");
  w.await("merged", "change:app#1");
  EXPECT_EQ(w.ask({"messages", "app-1"})["data"].size(), 1u);
  EXPECT_EQ(w.ask({"session", "show", "app-1"})["run"], 2);
}

TEST_F(Reviews, OfAHeadThatMovesAreSuperseded) {
  world w{reviewed()};
  // It pushes a second head while the first one is reviewed.
  begin(w,
        "[ \"$AO_SESSION\" != app-2 ] || " + scripts::waits_for("never")
          + approves,
        R"(
echo one > work; git add --all; git commit --quiet --message One
ao pr create
)" + scripts::waits_for("again")
          + R"(
echo two > work; git add --all; git commit --quiet --message Two
git push --quiet
)");
  w.await("agent_started", "session:app-2");
  auto old = w.environment_of("app-2");
  std::ofstream{w.user() / "again"} << "";
  auto ended = w.await("session_ended", "session:app-2");
  EXPECT_THAT(ended["data"]["why"].get<std::string>(),
              StartsWith("superseded: app#1 is at "));
  w.await("session_cleaned", "session:app-2");
  // Its late word does not count.
  ao_call late;
  late.env = {{"AO_TOKEN", old["AO_TOKEN"]},
              {"AO_SOCKET", old["AO_SOCKET"]},
              {"AO_SESSION", "app-2"},
              {"AO_CHANGE", "app#1"}};
  auto refused = w.ao({"review", "submit", "--approve"}, late);
  EXPECT_EQ(refused.status.code, 4) << refused.err << refused.out;
  w.await("merged", "change:app#1");
  EXPECT_EQ(w.git(w.forge(), {"show", "main:work"}), "two");
  EXPECT_EQ(w.await("approved", "change:app#1")["data"]["by"], "session/app-3");
}

TEST_F(Reviews, DoNotWaitForTheSlotsOfThoseWhoWaitForThem) {
  auto options = reviewed();
  options.settings = "limits: {sessions: 1, spawnsPerMinute: 0, "
                     "minFreeMemory: 1MiB, minFreeDisk: 1MiB}\n"
                     "restart: {delay: 50ms, maxDelay: 200ms}\n";
  world w{options};
  // The author keeps its slot until its change is approved.
  begin(w, approves + "touch \"$HOME/approved\"\n",
        std::string{author} + "ao pr create\n"
          + scripts::waits_for("approved"));
  w.await("merged", "change:app#1");
}
