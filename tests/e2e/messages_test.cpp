// Messages reach agents: into a live one's terminal, as the prompt of the next
// run of one that has exited, exactly once, and with proof; what cannot be
// delivered says so. Red CI and conflicts come to the agent by themselves.

#include "tests/support/agent_scripts.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

using namespace ao;
using nlohmann::json;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;
namespace fs = std::filesystem;

namespace {

/// Run 1 keeps each line that is typed until `quit`; later runs keep their
/// prompt. Each run commits.
const std::string listener = R"(
if [ "$AO_RUN" = 1 ]; then
  touch "$HOME/ready"
  while IFS= read -r line; do
    [ "$line" = quit ] && break
    printf '%s\n' "$line" >> "$HOME/heard"
  done
fi
cp "$AO_PROMPT_FILE" "$HOME/prompt.$AO_RUN"
printf '%s' "${AO_RESUME_REASON:-}" > "$HOME/reason.$AO_RUN"
echo "$AO_RUN" > "run.$AO_RUN"
git add --all
git commit --quiet --message "Run $AO_RUN"
)";

/// Never reads its terminal; run 1 ends when the test says so.
const std::string deaf = R"(
if [ "$AO_RUN" = 1 ]; then
  while [ ! -e "$HOME/go" ]; do sleep 0.05; done
fi
cp "$AO_PROMPT_FILE" "$HOME/prompt.$AO_RUN"
echo "$AO_RUN" > "run.$AO_RUN"
git add --all
git commit --quiet --message "Run $AO_RUN"
)";

world_options unmerged() {
  world_options options;
  options.project = ", merge: {auto: false}";
  return options;
}

/// The states that the evidence of a message names.
std::vector<std::string> states_of(const json& m) {
  std::vector<std::string> out;
  for (const auto& e : m["evidence"])
    out.push_back(e["state"].get<std::string>());
  return out;
}

json messages_of(const world& w, const std::string& session) {
  return w.ask({"messages", session})["data"];
}

/// The event that a message has come into a state.
json await_message(const world& w, const std::string& kind,
                   const std::string& id) {
  return w.await([&](const json& e) {
    return e["kind"] == kind && e["data"]["message"] == id;
  });
}

std::string sent(const world& w, std::vector<std::string> words) {
  words.insert(words.begin(), "send");
  auto m = w.ask(std::move(words));
  return m["id"].get<std::string>();
}

} // namespace

TEST(Messages, AreTypedIntoALiveAgentByteForByte) {
  world w{unmerged()};
  w.add_agent("listener", listener);
  w.start();
  ASSERT_EQ(w.ao({"spawn", "--prompt", "Listen"}).status.code, 0);
  const std::vector<std::string> lines
    = {"hello",     R"($(touch "$HOME/pwned") `id` "quoted" 'and' \n;)",
       "tab\there", "gr\xc3\xbc\xc3\x9f dich \xf0\x9f\x98\x80",
       "-x --now",  std::string(3000, 'z') + " end"};
  std::string wanted;
  for (const auto& line : lines) {
    auto end = w.ao({"send", "app-1", "--wait=ack", "--", line});
    EXPECT_EQ(end.status.code, 0) << end.err;
    EXPECT_THAT(end.out, HasSubstr("\nMESSAGE="));
    wanted += line + "\n";
  }
  auto last = w.ao({"send", "app-1", "quit", "--wait", "answer"});
  EXPECT_EQ(last.status.code, 0) << last.err;
  EXPECT_EQ(content_of(w.user() / "heard"), wanted);
  EXPECT_FALSE(fs::exists(w.user() / "pwned"));
  auto all = messages_of(w, "app-1");
  ASSERT_EQ(all.size(), lines.size() + 1);
  EXPECT_THAT(
    states_of(all[0]),
    ElementsAre("queued", "written", "submitted", "acknowledged", "answered"));
  EXPECT_EQ(all[0]["run"], 1);
  EXPECT_EQ(all[0]["mode"], "turn");
  EXPECT_TRUE(all[0]["deadline"].is_null());
}

TEST(Messages, StartAnExitedAgentWithTheMessageAsPrompt) {
  world w{unmerged()};
  w.add_agent("deaf", deaf, ", prompt: file");
  w.touch("go");
  w.start();
  ASSERT_EQ(w.ao({"spawn", "--prompt", "Work"}).status.code, 0);
  w.await("change_opened", "change:app#1");
  std::string text
    = "keep \x1b[31mthis\x07 as it is\r\n\n$(reboot)\t\xc3\xa4\n";
  for (int i = 0; i < 700; ++i)
    text += "one of many lines: " + std::to_string(i) + "\n";
  std::ofstream{w.root() / "text", std::ios::binary} << text;
  auto end = w.ao(
    {"send", "app-1", "--file", (w.root() / "text").string(), "--wait=answer"});
  EXPECT_EQ(end.status.code, 0) << end.err;
  EXPECT_EQ(content_of(w.user() / "prompt.2"), text);
  auto all = messages_of(w, "app-1");
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0]["run"], 2);
  auto shown = w.ask({"session", "show", "app-1"});
  EXPECT_EQ(shown["run"], 2);
  EXPECT_EQ(shown["restarts"], 0);
}

TEST(Messages, ComeAgainWhenARunEndedWithoutReadingThem) {
  world w{unmerged()};
  w.add_agent("deaf", deaf);
  w.start();
  ASSERT_EQ(w.ao({"spawn", "--prompt", "Work"}).status.code, 0);
  auto id = sent(w, {"app-1", "mind the gap", "--wait=ack"});
  w.touch("go");
  await_message(w, "message_answered", id);
  EXPECT_EQ(content_of(w.user() / "prompt.2"), "mind the gap");
  EXPECT_THAT(states_of(messages_of(w, "app-1")[0]),
              ElementsAre("queued", "written", "submitted", "acknowledged",
                          "queued", "written", "acknowledged", "answered"));
}

TEST(Messages, StaySubmittedWithoutEchoAndTheNextOneFollows) {
  world w{unmerged()};
  w.add_agent("silent", "stty -echo\n" + listener);
  w.start();
  ASSERT_EQ(w.ao({"spawn", "--prompt", "Listen"}).status.code, 0);
  w.await("agent_started", "session:app-1");
  w.await_file("ready");
  auto first = sent(w, {"app-1", "one"});
  auto second = sent(w, {"app-1", "two"});
  await_message(w, "message_submitted", second);
  for (const auto& m : messages_of(w, "app-1"))
    EXPECT_EQ(m["state"], "submitted") << m;
  auto late = w.ao({"send", "app-1", "three", "--wait=ack", "--timeout", "3s"});
  EXPECT_EQ(late.status.code, 7);
  EXPECT_THAT(late.err, HasSubstr("request id"));
  sent(w, {"app-1", "quit"});
  w.await("agent_exited", "session:app-1");
  EXPECT_EQ(content_of(w.user() / "heard"), "one\ntwo\nthree\n");
  EXPECT_EQ(messages_of(w, "app-1")[0]["id"], first);
}

TEST(Messages, AreRefusedOrExpireWithAWord) {
  world w{unmerged()};
  w.add_agent("deaf", deaf);
  w.start();
  EXPECT_EQ(w.ao({"send", "app-9", "x"}).status.code, 3);
  auto first = w.add_task("First");
  auto second = w.add_task("Second", "", {"--needs", first});
  ASSERT_EQ(w.ao({"spawn", second}).status.code, 0);
  EXPECT_EQ(w.ao({"send", "app-1", " \n "}).status.code, 2);
  EXPECT_EQ(w.ao({"send", "app-1"}).status.code, 2);
  EXPECT_EQ(w.ao({"send", "app-1", "x", "--wait=never"}).status.code, 2);
  EXPECT_EQ(w.ao({"send", "app-1", std::string(100'001, 'x')}).status.code, 2);
  auto late
    = w.ao({"send", "app-1", "too late", "--wait=ack", "--timeout", "300ms"});
  EXPECT_EQ(late.status.code, 7) << late.err;
  w.await("message_expired", "session:app-1");
  EXPECT_EQ(w.ao({"session", "kill", "app-1"}).status.code, 0);
  auto closed = w.ao({"send", "app-1", "x"});
  EXPECT_EQ(closed.status.code, 4);
  EXPECT_THAT(closed.err, HasSubstr("session_closed"));
  EXPECT_EQ(messages_of(w, "app-1").size(), 1u);
}

TEST(Messages, AreOneMessageUnderOneRequestId) {
  world w{unmerged()};
  w.add_agent("listener", listener);
  w.start();
  ASSERT_EQ(w.ao({"spawn", "--prompt", "Listen"}).status.code, 0);
  auto one = sent(w, {"app-1", "once", "--request-id", "r1", "--wait=ack"});
  auto two = sent(w, {"app-1", "once", "--request-id", "r1"});
  EXPECT_EQ(one, two);
  sent(w, {"app-1", "quit", "--wait=answer"});
  EXPECT_EQ(content_of(w.user() / "heard"), "once\n");
}

TEST(Messages, SurviveTheDeathOfTheHub) {
  world w{unmerged()};
  w.add_agent("listener", listener);
  w.start();
  ASSERT_EQ(w.ao({"spawn", "--prompt", "Listen"}).status.code, 0);
  std::vector<std::string> ids;
  for (int i = 0; i < 12; ++i) {
    ids.push_back(sent(w, {"app-1", "line " + std::to_string(i)}));
    if (i % 4 == 3) {
      w.kill_hub();
      w.start();
    }
  }
  sent(w, {"app-1", "quit", "--wait=answer"});
  std::map<std::string, int> heard;
  std::istringstream lines{content_of(w.user() / "heard")};
  for (std::string line; std::getline(lines, line);)
    ++heard[line];
  SCOPED_TRACE(lines.str());
  auto all = messages_of(w, "app-1");
  ASSERT_EQ(all.size(), 13u);
  for (int i = 0; i < 12; ++i) {
    auto times = heard["line " + std::to_string(i)];
    auto state = all[i]["state"].get<std::string>();
    EXPECT_EQ(all[i]["id"], ids[i]);
    if (state == "unknown")
      EXPECT_LE(times, 1) << all[i];
    else
      EXPECT_EQ(times, 1) << all[i];
  }
}

// -- what comes to the agent by itself ----------------------------------------

namespace {

world_options with_ci(const std::string& command) {
  world_options options;
  options.project = ", ci: {command: [sh, -c, \"" + command + "\"]}";
  return options;
}

/// Breaks the checks in its first run and repairs what it is told of.
constexpr const char* repairer = R"(
cp "$AO_PROMPT_FILE" "$HOME/prompt.$AO_SESSION.$AO_RUN"
if [ "$AO_RUN" = 1 ]; then echo broken > work; else echo fine > work; fi
git add --all
git commit --quiet --message "Run $AO_RUN"
)";

} // namespace

TEST(RedCi, IsToldToTheAgentThatRepairsIt) {
  world w{with_ci("test -e work || exit 0; echo the work is; cat work; "
                  "grep -q fine work")};
  w.add_agent("repairer", repairer);
  w.start();
  ASSERT_EQ(w.ao({"spawn", "--prompt", "Work"}).status.code, 0);
  w.await("merged", "change:app#1");
  auto failed = w.await("ci_failed", "change:app#1");
  auto sha = failed["data"]["sha"].get<std::string>();
  auto prompt = content_of(w.user() / "prompt.app-1.2");
  EXPECT_THAT(prompt, StartsWith("CI failed on " + sha.substr(0, 12) + ": sh"));
  EXPECT_THAT(prompt, HasSubstr(" exited 1\n"));
  EXPECT_THAT(prompt, HasSubstr("```\nthe work is\nbroken\n```\n"));
  EXPECT_THAT(prompt, HasSubstr("commit and push"));
  auto all = messages_of(w, "app-1");
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0]["sender"], "incident/inc-1");
  EXPECT_EQ(w.git(w.forge(), {"show", "main:work"}), "fine");
}

TEST(RedCi, IsToldOnceThoughTheHubDies) {
  world w{with_ci("! test -e work || grep -q fine work")};
  w.add_agent("repairer",
              "[ \"$AO_RUN\" = 1 ] || " + scripts::waits_for("go") + repairer);
  w.start();
  ASSERT_EQ(w.ao({"spawn", "--prompt", "Work"}).status.code, 0);
  w.await("ci_failed", "change:app#1");
  for (int i = 0; i < 3; ++i) {
    w.kill_hub();
    w.start();
  }
  w.touch("go");
  w.await("merged", "change:app#1");
  EXPECT_EQ(messages_of(w, "app-1").size(), 1u);
  auto shown = w.ask({"session", "show", "app-1"});
  EXPECT_EQ(shown["run"], 2);
}

TEST(RedCi, ReachesAnAgentThatStillRuns) {
  world w{with_ci("! test -e work || grep -q fine work")};
  // It opens its change itself and goes on listening. An end before the proof
  // of the message would have it told again.
  w.add_agent("watcher",
              R"(
echo broken > work
git add --all; git commit --quiet --message First
ao pr create
while IFS= read -r line; do
  case $line in "CI failed on"*) break ;; esac
done
)" + scripts::waits_for("go")
                + R"(
echo fine > work
git add --all; git commit --quiet --message Second
)");
  w.start();
  ASSERT_EQ(w.ao({"spawn", "--prompt", "Work"}).status.code, 0);
  w.await([](const nlohmann::json& e) {
    return e["kind"] == "message_acknowledged";
  });
  w.touch("go");
  w.await("merged", "change:app#1");
  auto all = messages_of(w, "app-1");
  ASSERT_EQ(all.size(), 1u) << all.dump(1);
  EXPECT_EQ(all[0]["run"], 1);
}

/// Has two sessions of agent `rival` merged one after the other; what the
/// second run of the later one was told.
std::string second_prompt_of_the_later(world& w) {
  w.start();
  w.ask({"spawn", "--prompt", "One"});
  w.ask({"spawn", "--prompt", "Two"});
  w.touch("go.app-1");
  w.await("session_ended", "session:app-1");
  w.touch("go.app-2");
  w.await("session_ended", "session:app-2");
  return content_of(w.user() / "prompt.app-2.2");
}

TEST(Conflict, IsToldWithItsFiles) {
  world w{with_ci("true")};
  w.add_agent("rival", R"(
cp "$AO_PROMPT_FILE" "$HOME/prompt.$AO_SESSION.$AO_RUN"
if [ "$AO_RUN" = 1 ]; then
  while [ ! -e "$HOME/go.$AO_SESSION" ]; do sleep 0.05; done
  echo "by $AO_SESSION" > README
else
  git fetch --quiet origin
  git merge --quiet origin/main || { git checkout --theirs README; }
  echo "and $AO_SESSION" >> README
fi
git add --all
git commit --quiet --message "Run $AO_RUN of $AO_SESSION"
)");
  auto prompt = second_prompt_of_the_later(w);
  EXPECT_THAT(prompt, HasSubstr("conflict in README"));
  EXPECT_THAT(prompt, HasSubstr("origin/main"));
  EXPECT_EQ(w.git(w.forge(), {"show", "main:README"}), "by app-1\nand app-2");
}

TEST(Conflict, OfMeaningIsToldAsRedCi) {
  // Each alone passes; both together do not, unless they agree.
  world w{
    with_ci("test ! -e app-1.txt || test ! -e app-2.txt || test -e both")};
  w.add_agent("rival", R"(
cp "$AO_PROMPT_FILE" "$HOME/prompt.$AO_SESSION.$AO_RUN"
if [ "$AO_RUN" = 1 ]; then
  while [ ! -e "$HOME/go.$AO_SESSION" ]; do sleep 0.05; done
  echo "by $AO_SESSION" > "$AO_SESSION.txt"
else
  git fetch --quiet origin
  git merge --quiet --no-edit origin/main
  echo agreed > both
fi
git add --all
git commit --quiet --message "Run $AO_RUN of $AO_SESSION"
)");
  auto prompt = second_prompt_of_the_later(w);
  EXPECT_THAT(prompt, StartsWith("CI failed on "));
  EXPECT_THAT(prompt, HasSubstr("merged with what came before it on main"));
  EXPECT_EQ(w.git(w.forge(), {"show", "main:both"}), "agreed");
}
