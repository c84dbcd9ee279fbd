// A change goes from one session to another: `ao spawn --claim-pr` and `ao
// session claim-pr`. The task goes with it under a new epoch, the former holder
// is stopped and fenced, its work kept, and what was pushed is merged once.

#include "tests/support/agent_scripts.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

using namespace ao;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

namespace {

world_options by_hand() {
  world_options options;
  options.project = ", merge: {auto: false}";
  return options;
}

/// `app-1` lives, and has `app#1` open, which a person merges.
class Takeover : public testing::Test {
protected:
  Takeover() {
    w.add_agent("opener", scripts::opener);
    w.add_agent("finisher", scripts::finisher);
    w.add_agent("idler", scripts::idler);
    w.start();
    EXPECT_EQ(w.ao({"spawn", w.add_task("First", "the body")}).status.code, 0);
    w.await_file("app-1.ready");
    head = change().value("headSha", "");
  }

  json change() const { return w.ask({"pr", "show", "app#1"}); }

  json session(const std::string& id) const {
    return w.ask({"session", "show", id});
  }

  std::string kept(const std::string& session) const {
    return w.git(w.home() / "repos/app.git",
                 {"for-each-ref", "--format=%(refname)",
                  "refs/ao/rescue/" + session, "refs/ao/parked/" + session});
  }

  /// What the agent of a session calls.
  finished as(const std::string& session, std::vector<std::string> words) {
    auto agent = w.environment_of(session);
    ao_call how;
    for (const auto* name :
         {"AO_SOCKET", "AO_TOKEN", "AO_SESSION", "AO_SESSION_NAME"})
      how.env[name] = agent[name];
    return w.ao(std::move(words), how);
  }

  /// The change ends on the base once, with the work of both.
  void expect_merged(const std::string& last) {
    w.await([&](const json& e) {
      return e["kind"] == "head_moved" && e["subject"] == "change:app#1"
        && e["data"]["session"] == last;
    });
    w.await([](const json& e) {
      return e["kind"] == "merge_ready" && e["subject"] == "change:app#1";
    });
    auto merged = w.ao({"pr", "merge", "app#1"});
    ASSERT_EQ(merged.status.code, 0) << merged.err;
    w.await("task_closed", "task:T1");
    EXPECT_EQ(w.ask({"task", "show", "T1"})["state"], "merged");
    EXPECT_EQ(w.git(w.forge(), {"show", "main:app-1.txt"}), "by app-1");
    EXPECT_EQ(w.git(w.forge(), {"show", "main:" + last + ".txt"}),
              "by " + last);
    EXPECT_THAT(w.git(w.forge(), {"log", "-1", "--format=%B", "main"}),
                HasSubstr("Ao-Session: " + last + "\n"));
    auto all = w.events();
    EXPECT_EQ(
      std::count_if(all.begin(), all.end(),
                    [](const json& e) { return e["kind"] == "merged"; }),
      1);
    EXPECT_EQ(w.ask({"pr", "ls"})["data"].size(), 1u);
  }

  world w{by_hand()};
  std::string head;
};

/// The hub is killed when this has happened for the first time.
struct death {
  const char* kind;
  const char* subject;
};

class TakeoverOfDeath : public Takeover,
                        public testing::WithParamInterface<death> {};

} // namespace

TEST_F(Takeover, ByANewSessionGoesOnWhereTheChangeIs) {
  auto old_tree = w.worktree("app-1");
  auto old_agent = w.environment_of("app-1");
  // Neither pushed nor committed, the one; not pushed, the other.
  w.git(old_tree, {"commit", "--quiet", "--allow-empty", "--message", "Late"});
  auto late = w.git(old_tree, {"rev-parse", "HEAD"});
  std::ofstream{old_tree / "dirt.txt"} << "dirt\n";

  auto made = w.ask({"spawn", "--claim-pr", "app#1", "--agent", "finisher"});
  EXPECT_EQ(made["id"], "app-2");
  EXPECT_EQ(made["task"], "T1");
  EXPECT_EQ(made["epoch"], 2);
  EXPECT_EQ(made["branch"], "ao/app-1");
  EXPECT_EQ(made["tookOver"], "app-1");
  w.await("change_taken_over", "change:app#1");
  EXPECT_EQ(change()["session"], "app-2");
  w.await_file("app-2.prompt");
  w.await_file("app-2.began");
  EXPECT_EQ(content_of(w.user() / "app-2.began"), head + "\n");
  EXPECT_THAT(content_of(w.user() / "app-2.prompt"),
              AllOf(HasSubstr("First\n\nthe body"), HasSubstr("begun by app-1"),
                    HasSubstr("app#1 is open"), HasSubstr("branch ao/app-1")));

  // The former holder: ended, its work kept, its files where they were.
  auto former = session("app-1");
  EXPECT_EQ(former["status"], "killed");
  EXPECT_EQ(former["claim"], nullptr);
  EXPECT_EQ(content_of(old_tree / "dirt.txt"), "dirt\n");
  auto repository = w.home() / "repos/app.git";
  EXPECT_THAT(kept("app-1"),
              AllOf(HasSubstr("refs/ao/rescue/app-1/"),
                    HasSubstr("refs/ao/parked/app-1/e1-r1")));
  EXPECT_EQ(w.git(repository, {"show", "refs/ao/parked/app-1/e1-r1:dirt.txt"}),
            "dirt");
  EXPECT_EQ(
    w.git(repository, {"merge-base", late, "refs/ao/parked/app-1/e1-r1"}),
    late);

  // It does not come back to a branch that is another's.
  auto back = w.ao({"session", "restore", "app-1"});
  EXPECT_EQ(back.status.code, 4);
  EXPECT_THAT(back.err, HasSubstr("the branch of app-1 went to app-2"));

  // What it pushes now is refused, however it does it.
  for (const auto* to : {"+HEAD:refs/heads/ao/app-1", "+HEAD:ao/app-1"}) {
    auto push = w.try_git(old_tree, {"push", "origin", to}, old_agent);
    EXPECT_NE(push.status.code, 0);
    EXPECT_THAT(push.err,
                HasSubstr("ao: push refused: stale epoch 1 (current 2)"));
  }
  expect_merged("app-2");
  EXPECT_NE(
    w.try_git(w.forge(), {"cat-file", "-e", "main:dirt.txt"}).status.code, 0);

  // Nothing of either stays in the way.
  w.await("session_cleaned", "session:app-2");
  auto cleaned = w.ao({"session", "cleanup"});
  EXPECT_EQ(cleaned.status.code, 0) << cleaned.err;
  EXPECT_THAT(cleaned.out, HasSubstr("Cleaned: app-1"));
  EXPECT_FALSE(fs::exists(old_tree));
  EXPECT_THAT(w.git(repository, {"for-each-ref", "refs/heads"}),
              Not(HasSubstr("ao/app-1")));
  EXPECT_EQ(w.git(repository, {"show", "refs/ao/parked/app-1/e1-r1:dirt.txt"}),
            "dirt");
  EXPECT_THAT(w.ao({"why", "T1"}).out, HasSubstr("by app-2"));
}

TEST_F(Takeover, FromASessionThatWasKilled) {
  ASSERT_EQ(w.ao({"session", "kill", "app-1"}).status.code, 0);
  EXPECT_EQ(w.ask({"task", "show", "T1"})["state"], "parked");
  auto said = w.ao({"spawn", "--claim-pr", "1", "--agent", "finisher"});
  ASSERT_EQ(said.status.code, 0) << said.err;
  EXPECT_THAT(said.out,
              AllOf(HasSubstr("PR:             app#1 (First)\n"),
                    HasSubstr("Branch:         ao/app-1\n"),
                    HasSubstr("Took over from: app-1\n"),
                    HasSubstr("SESSION=app-2\n")));
  expect_merged("app-2");
}

TEST_F(Takeover, AgainAndAgain) {
  for (const auto* id : {"app-2", "app-3"}) {
    auto made = w.ask({"spawn", "--claim-pr", "app#1", "--agent", "idler"});
    EXPECT_EQ(made["id"], id);
    w.await_file(std::string{id} + ".ready");
  }
  EXPECT_EQ(session("app-3")["tookOver"], "app-2");
  EXPECT_EQ(session("app-2")["status"], "killed");
  w.ask({"spawn", "--claim-pr", "app#1", "--agent", "finisher"});
  EXPECT_EQ(session("app-4")["epoch"], 4);
  expect_merged("app-4");
}

TEST_F(Takeover, ByTheAgentOfAnotherSession) {
  auto second = w.add_task("Second");
  ASSERT_EQ(w.ao({"spawn", second, "--agent", "idler"}).status.code, 0);
  w.await_file("app-2.ready");

  // Not while something there is in no commit.
  auto dirt = w.worktree("app-2") / "dirt.txt";
  std::ofstream{dirt} << "dirt\n";
  auto refused = w.ao({"session", "claim-pr", "app#1", "app-2"});
  EXPECT_EQ(refused.status.code, 4);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("unclean_worktree"),
                    HasSubstr("1 file that is in no commit (?? dirt.txt)"),
                    HasSubstr("ao session kill app-2")));
  EXPECT_EQ(session("app-1")["epoch"], 1);
  EXPECT_EQ(session("app-1")["runtime"]["state"], "alive");
  EXPECT_EQ(w.ask({"task", "show", "T2"})["state"], "claimed");

  fs::remove(dirt);
  auto said = w.ao({"session", "claim-pr", "app#1", "app-2"});
  ASSERT_EQ(said.status.code, 0) << said.err;
  EXPECT_THAT(said.out,
              AllOf(HasSubstr("app#1 (First)"),
                    HasSubstr("app-3 stands at " + head.substr(0, 12) + " in "
                              + w.worktree("app-3").string()),
                    HasSubstr("Took over from: app-1\n"),
                    HasSubstr("parked with app-2; `ao session restore app-2`"),
                    HasSubstr("SESSION=app-3\n")));
  auto made = session("app-3");
  EXPECT_EQ(made["agent"], "idler");
  EXPECT_EQ(made["task"], "T1");
  EXPECT_EQ(made["epoch"], 2);
  EXPECT_EQ(w.ask({"task", "show", "T2"})["state"], "parked");
  w.await("session_parked", "session:app-2");

  // Said again: whoever has it keeps it, whoever gave it up has nothing.
  auto own = w.ao({"session", "claim-pr", "app#1", "app-3"});
  EXPECT_EQ(own.status.code, 0) << own.err;
  EXPECT_THAT(own.out, HasSubstr("app-3 works on it already\n"));
  auto again = w.ao({"session", "claim-pr", "app#1", "app-2"});
  EXPECT_EQ(again.status.code, 4);
  EXPECT_THAT(again.err, HasSubstr("holds no task any more"));
  EXPECT_EQ(session("app-3")["epoch"], 2);

  // And its own task goes on when it is wanted.
  auto back = w.ao({"session", "restore", "app-2"});
  EXPECT_EQ(back.status.code, 0) << back.err;
  EXPECT_EQ(w.ask({"task", "show", "T2"})["session"], "app-2");
}

TEST_F(Takeover, HasOneEffectForEachRequest) {
  std::vector<std::string> words{"spawn",        "--claim-pr", "app#1",
                                 "--agent",      "finisher",   "--request-id",
                                 "the-first-one"};
  EXPECT_EQ(w.ask(words)["id"], "app-2");
  EXPECT_EQ(w.ask(words)["id"], "app-2");
  expect_merged("app-2");
  // Also when it could not be granted any more.
  EXPECT_EQ(w.ask(words)["id"], "app-2");
  words.back() = "another-one";
  auto late = w.ao(words);
  EXPECT_EQ(late.status.code, 4);
  EXPECT_THAT(late.err, HasSubstr("change_closed"));
  EXPECT_THAT(late.err, HasSubstr("app#1 is merged"));
}

TEST_F(Takeover, RefusesWhatIsNotPossible) {
  struct refusal {
    std::vector<std::string> words;
    int code;
    const char* says;
  };
  auto manual = w.add_task("By hand");
  auto claimed = w.api().call("POST", "/api/v1/tasks/" + manual + "/claim",
                              json::object());
  ASSERT_TRUE(claimed);
  auto by_hand = claimed->body["session"].get<std::string>();
  for (const auto& [words, code, says] : std::vector<refusal>{
         {{"spawn", "--claim-pr", "app#9"}, 3, "no change is called app#9"},
         {{"spawn", "--claim-pr", "9"}, 3, "no change is called 9"},
         {{"spawn", "--claim-pr", "x;y"}, 3, "no change is called x;y"},
         {{"spawn", "T1", "--claim-pr", "app#1"}, 2, "without an issue"},
         {{"spawn", "--prompt", "x", "--claim-pr", "app#1"}, 2, "ao send"},
         {{"spawn", "--claim-pr", "app#1", "--agent", "nobody"}, 2, "nobody"},
         {{"spawn", "--claim-pr", "app#1", "--assign-on-github"},
          2,
          "the forge of app is local"},
         {{"spawn", "T1", "--assign-on-github"}, 2, "needs --claim-pr"},
         {{"session", "claim-pr", "app#1"}, 2, "which session?"},
         {{"session", "claim-pr", "app#1", "app-9"}, 3, "app-9"},
         {{"session", "claim-pr", "app#9", "app-1"}, 3, "app#9"},
         {{"session", "claim-pr", "app#1", by_hand}, 4, "only a worker"},
         {{"session", "claim-pr", "app#1", "app-1", "--assign-on-github"},
          2,
          "the forge of app is local"}}) {
    auto end = w.ao(words);
    EXPECT_EQ(end.status.code, code) << end.err;
    EXPECT_THAT(end.err, HasSubstr(says));
  }
  EXPECT_EQ(session("app-1")["epoch"], 1);
  EXPECT_EQ(session("app-1")["runtime"]["state"], "alive");
}

TEST_F(Takeover, IsNotForAnAgentToDecide) {
  ASSERT_EQ(
    w.ao({"spawn", w.add_task("Second"), "--agent", "idler"}).status.code, 0);
  w.await_file("app-2.ready");
  // Its own change it has.
  auto own = as("app-1", {"session", "claim-pr", "app#1"});
  EXPECT_EQ(own.status.code, 0) << own.err;
  EXPECT_THAT(own.out, HasSubstr("app-1 works on it already"));
  for (const auto& [who, words] :
       std::vector<std::pair<std::string, std::vector<std::string>>>{
         {"app-2", {"session", "claim-pr", "app#1"}},
         {"app-2", {"session", "claim-pr", "app#1", "app-1"}},
         {"app-2", {"spawn", "--claim-pr", "app#1"}},
         {"app-1", {"spawn", "--claim-pr", "app#1"}},
         {"app-1", {"session", "claim-pr", "app#1", "app-2"}}}) {
    auto end = as(who, words);
    EXPECT_EQ(end.status.code, 6) << end.out << end.err;
    EXPECT_THAT(end.err, HasSubstr("may not"));
  }
  EXPECT_EQ(session("app-1")["epoch"], 1);
  EXPECT_EQ(session("app-2")["epoch"], 1);
}

TEST_P(TakeoverOfDeath, EndsInTheSameStateHoweverTheHubDies) {
  std::ofstream{w.worktree("app-1") / "dirt.txt"} << "dirt\n";
  std::vector<std::string> words{"spawn",   "--claim-pr", "app#1",
                                 "--agent", "finisher",   "--request-id",
                                 "one",     "--no-wait"};
  auto from = w.last_event();
  auto asking = w.start_ao(words);
  w.await(GetParam().kind, GetParam().subject, from);
  w.kill_hub();
  ASSERT_TRUE(wait_ended(asking.pidfd.get(), world::patience));
  ASSERT_TRUE(reap(asking.pidfd.get()));
  w.start();
  auto again = w.ao(words);
  EXPECT_EQ(again.status.code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("SESSION=app-2\n"));
  w.await_file("app-2.prompt");
  expect_merged("app-2");
  EXPECT_EQ(session("app-1")["status"], "killed");
  EXPECT_EQ(session("app-2")["epoch"], 2);
  w.await_file("app-2.began");
  EXPECT_EQ(content_of(w.user() / "app-2.began"), head + "\n");
  EXPECT_EQ(w.git(w.home() / "repos/app.git",
                  {"show", "refs/ao/parked/app-1/e1-r1:dirt.txt"}),
            "dirt");
  EXPECT_EQ(w.ask({"session", "ls", "--include-terminated"})["data"].size(),
            2u);
}

INSTANTIATE_TEST_SUITE_P(
  Points, TakeoverOfDeath,
  testing::Values(death{"task_claimed", "task:T1"},
                  death{"session_killed", "session:app-1"},
                  death{"change_taken_over", "change:app#1"},
                  death{"session_spawned", "session:app-2"},
                  death{"session_step", "session:app-2"},
                  death{"agent_started", "session:app-2"}),
  [](const auto& of) { return std::string{of.param.kind}; });
