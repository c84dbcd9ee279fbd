// A standing orchestrator is started once per project, stands by, mediates and
// hands work out through `ao` alone: agent programs that roles start by
// themselves are held up.

#include "tests/support/agent_scripts.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

/// Keeps what it reads first, then stands by at its terminal; a line `do X` has
/// it run X.
constexpr const char* boss = R"sh(
cp "$AO_PROMPT_FILE" "$HOME/role.$AO_RUN"
while IFS= read -r line; do
  echo "$line" >> "$HOME/heard"
  case $line in
  "do "*) eval "${line#do }" ;;
  "Without a verdict a person is asked.")
    echo '{"verdict":"advise","text":"Say xyzzy"}' > "$HOME/verdict"
    ao incident resolve inc-1 --file "$HOME/verdict" ;;
  esac
done
)sh";

world_options with_boss(const std::string& orchestrator = "agent: boss") {
  world_options o;
  o.settings += "escalation: {selfHeal: {attempts: 1}}\n";
  o.project
    = ", orchestrator: {" + orchestrator + "}, " + scripts::wants_fine_work;
  return o;
}

TEST(Orchestrator, IsOneAndMediates) {
  world w{with_boss()};
  w.add_agent("stubborn", scripts::stubborn);
  w.add_agent("boss", boss);
  w.start();
  auto first = w.ask({"start", "--orchestrator"});
  ASSERT_EQ(first["orchestrators"].size(), 1u) << first;
  auto id = first["orchestrators"][0]["session"].get<std::string>();
  EXPECT_EQ(first["orchestrators"][0]["project"], "app");
  w.await("agent_started", "session:" + id);
  EXPECT_EQ(w.ask({"start", "--orchestrator"})["orchestrators"],
            first["orchestrators"]);
  EXPECT_THAT(w.ao({"start", "--orchestrator"}).out,
              HasSubstr("Orchestrator of app: " + id));
  EXPECT_THAT(content_of(w.user() / "role.1"),
              StartsWith("You are the orchestrator of project app."));
  EXPECT_EQ(w.ask({"session", "show", id})["role"], "orchestrator");

  w.ask({"spawn", w.add_task("First")});
  w.await("merged", "change:app#1");
  EXPECT_THAT(content_of(w.user() / "heard"),
              HasSubstr("Mediate inc-1: CI fails"));
}

TEST(Orchestrator, OfAnOrdinarySessionIsBriefedInsteadOfAMediator) {
  world w{with_boss("session: app-1")};
  w.add_agent("stubborn", scripts::stubborn);
  w.add_agent("boss", boss);
  w.start();
  w.ask({"spawn", w.add_task("Stand by"), "--agent", "boss"});
  w.await("agent_started", "session:app-1");
  w.ask({"spawn", w.add_task("First")});
  w.await("merged", "change:app#1");
  w.await("incident_closed", "incident:inc-1");
  auto brief = content_of(w.user() / "heard");
  EXPECT_THAT(brief, StartsWith("Mediate inc-1: CI fails"));
  EXPECT_THAT(brief, HasSubstr("\"maxAttempts\":1"));
  EXPECT_THAT(brief, HasSubstr("{\"verdict\":\"retry\"}"));
  // No session was made for it, and it goes on standing by.
  EXPECT_EQ(w.ao({"session", "show", "app-3"}).status.code, 3);
  EXPECT_EQ(w.ask({"session", "show", "app-1"})["runtime"]["state"], "alive");
}

TEST(Orchestrator, HandsOutWorkThroughAo) {
  world w{with_boss()};
  w.add_agent("stubborn",
              "echo fine > work\ngit add --all\n"
              "git commit --quiet --message Fine\n");
  w.add_agent("boss", boss);
  w.start();
  auto id = w.ask({"start", "--orchestrator"})["orchestrators"][0]["session"]
              .get<std::string>();
  w.await("agent_started", "session:" + id);
  w.ask({"send", id, "do ao task add 'Small thing' && ao spawn T1"});
  w.await("merged", "change:app#1");
  EXPECT_EQ(w.ask({"task", "show", "T1"})["title"], "Small thing");
}

TEST(Orchestrator, IsAskedByItsRoleOnce) {
  world w{with_boss()};
  w.add_agent("asker", R"sh(
ao send orchestrator --request-id q1 "Which word?" > "$HOME/said" 2>&1 || true
ao send orchestrator --request-id q1 "Which word?" >> "$HOME/said" 2>&1 || true
IFS= read -r answer
echo "$answer" > work
git add --all
git commit --quiet --message Answered
)sh");
  w.add_agent("boss", boss);
  w.start();
  auto none = w.ao({"send", "orchestrator", "Anybody?"});
  EXPECT_EQ(none.status.code, 3);
  EXPECT_THAT(none.err, HasSubstr("ao start --orchestrator"));
  auto boss_id
    = w.ask({"start", "--orchestrator"})["orchestrators"][0]["session"]
        .get<std::string>();
  w.await("agent_started", "session:" + boss_id);
  auto id = w.ask({"spawn", w.add_task("First")})["id"].get<std::string>();
  w.await("message_submitted", "session:" + boss_id);
  EXPECT_EQ(w.ao({"send", boss_id, "do ao send " + id + " fine"}).status.code,
            0);
  w.await("merged", "change:app#1");
  EXPECT_EQ(w.git(w.forge(), {"show", "main:work"}), "fine");
  auto heard = content_of(w.user() / "heard");
  EXPECT_THAT(heard, HasSubstr("Question of " + id + ": Which word?"));
  EXPECT_EQ(heard.find("Question of"), heard.rfind("Question of"))
    << "the same request is one message";
  EXPECT_EQ(w.ask({"messages", boss_id})["data"][0]["sender"], "session/" + id);
}

TEST(Orchestrator, ComesBackWithItsConversationAfterTheHub) {
  world w{with_boss()};
  w.add_agent("boss", boss);
  w.start();
  auto id = w.ask({"start", "--orchestrator"})["orchestrators"][0]["session"]
              .get<std::string>();
  w.await("agent_started", "session:" + id);
  auto pid = w.ask({"session", "show", id})["runtime"]["pid"];
  w.kill_hub();
  w.start();
  auto again = w.ask({"start", "--orchestrator"})["orchestrators"][0];
  EXPECT_EQ(again["session"], id);
  EXPECT_EQ(w.ask({"session", "show", id})["runtime"]["pid"], pid);
}

TEST(ExecGuard, HoldsUpAgentProgramsOfRoles) {
  world w{with_boss()};
  w.add_agent("boss", boss);
  w.add_agent("worker",
              "command -v codex > \"$HOME/found\" || true\n"
              "touch \"$HOME/looked\"\n");
  w.start();
  auto id = w.ask({"start", "--orchestrator"})["orchestrators"][0]["session"]
              .get<std::string>();
  w.await("agent_started", "session:" + id);
  w.ask({"send", id,
         "do codex exec 'mend it' > $HOME/said 2>&1 || echo $? > $HOME/status; "
         "touch $HOME/ended"});
  w.await_file("ended");
  EXPECT_EQ(content_of(w.user() / "status"), "6\n");
  auto said = content_of(w.user() / "said");
  EXPECT_THAT(said,
              StartsWith("ao: not_allowed: codex is not started from "
                         "session "
                         + id + " (orchestrator)"));
  EXPECT_THAT(said, HasSubstr("ao spawn --prompt"));

  // A worker may: it is supervised, and what it starts ends with it.
  w.ask({"spawn", w.add_task("First"), "--agent", "worker"});
  w.await_file("looked");
  EXPECT_THAT(content_of(w.user() / "found"), Not(HasSubstr("/guard/")));
}

} // namespace
