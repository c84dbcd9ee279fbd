// The real agent programs under ao, offline: they edit, run, commit, are found
// working and idle, are told messages exactly once, and go on with the same
// conversation after they were killed.

#include "runtime/rules/transcript.hpp"
#include "tests/support/agent_programs.hpp"
#include "tests/support/await_that.hpp"
#include "tests/support/fake_model.hpp"
#include "tests/support/seen_processes.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <fstream>

using namespace ao;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

constexpr const char* api_key = "sk-ant-test-0123456789abcdefghij0123456789";

/// One of the programs.
struct agent_case {
  std::string name;
  std::string program;

  friend std::ostream& operator<<(std::ostream& out, const agent_case& x) {
    return out << x.name;
  }
};

class Agents : public testing::TestWithParam<agent_case> {
protected:
  void SetUp() override {
    auto programs = find_agent_programs();
    if (!programs.has(GetParam().program))
      GTEST_SKIP() << GetParam().program << " " << programs.missing;
    begin({});
  }

  /// Starts a hub whose project has these settings too.
  void begin(const std::string& project) {
    auto programs = find_agent_programs();
    world_options options;
    options.settings += "defaults: {agent: " + GetParam().name + "}\n";
    options.project = ", merge: {auto: false}" + project;
    w.emplace(options);
    w->set_variable("PATH",
                    programs.directory.string() + ":"
                      + environment::inherited().get("PATH"));
    w->set_variable("ANTHROPIC_API_KEY", api_key);
    w->set_variable("ANTHROPIC_BASE_URL", model.url());
    fs::create_directory(w->user() / ".codex");
    std::ofstream{w->user() / ".codex/config.toml"}
      << "model = \"gpt-5\"\nmodel_provider = \"loop\"\n"
      << "[model_providers.loop]\nname = \"loop\"\nbase_url = \"" << model.url()
      << "/v1\"\nwire_api = \"responses\"\n"
      << "requires_openai_auth = true\n";
    std::ofstream{w->user() / ".codex/auth.json"}
      << R"({"auth_mode":"apikey","OPENAI_API_KEY":"sk-loop"})";
    fs::permissions(w->user() / ".codex/auth.json", fs::perms::owner_read);
    w->start();
  }

  /// The permissions with which it asks before it writes a file.
  std::string asking() const {
    return GetParam().program == "codex" ? "suggest" : "default";
  }

  void spawn(const std::string& prompt) {
    auto end = w->ao({"spawn", "--prompt", prompt});
    ASSERT_EQ(end.status.code, 0) << end.err;
  }

  /// The number of the event.
  std::uint64_t await_activity(const std::string& activity,
                               std::uint64_t after = 0) {
    auto found = w->await(
      [&](const json& e) {
        return e["kind"] == "activity_changed"
          && e["data"]["activity"] == activity;
      },
      after);
    return found.is_object() ? found["seq"].get<std::uint64_t>() : 0;
  }

  fake_model model;
  std::optional<world> w;
};

} // namespace

TEST_P(Agents, EditRunAndCommit) {
  spawn("Say hello\nRUN: echo hello > hello.txt; git add --all; git commit "
        "--quiet --message Hello; ao report completed");
  w->await("change_opened", "change:app#1");
  EXPECT_EQ(w->git(w->worktree("app-1"), {"log", "-1", "--format=%s"}),
            "Hello");
  await_activity("idle");
  auto shown = w->ask({"session", "show", "app-1"});
  EXPECT_EQ(shown["activity"], "idle");
  EXPECT_EQ(shown["lastWords"], "Done.");
  EXPECT_FALSE(shown["conversation"].get<std::string>().empty());
  EXPECT_GT(shown["tokens"]["input"].get<int>(), 0);
  EXPECT_EQ(w->ask({"summary"})["tasks"][0]["tokens"], shown["tokens"]);
}

TEST_P(Agents, HearEachMessageOnce) {
  spawn("Begin");
  await_activity("idle");
  std::string page = "Many lines";
  for (int i = 0; page.size() < 24'000; ++i)
    page += "\nline " + std::to_string(i) + " of a long message";
  const std::vector<std::string> texts
    = {"One line", "First of three\n  second\n\nthird, with `$(ticks)`", page};
  for (const auto& text : texts) {
    std::ofstream{w->root() / "text", std::ios::binary} << text;
    auto end = w->ao({"send", "app-1", "--file", (w->root() / "text").string(),
                      "--wait=answer"});
    EXPECT_EQ(end.status.code, 0) << end.err;
  }
  std::vector<std::string> heard;
  for (const auto& text : model.asked())
    if (text != "Begin")
      heard.push_back(text);
  ASSERT_EQ(heard.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i)
    EXPECT_TRUE(is_same_text(heard[i], texts[i])) << heard[i].substr(0, 200);
  auto all = w->ask({"messages", "app-1"})["data"];
  for (const auto& m : all) {
    EXPECT_EQ(m["state"], "answered");
    for (const auto& e : m["evidence"])
      if (e["state"] == "acknowledged") {
        EXPECT_EQ(e["source"], "transcript") << m;
      }
  }
}

TEST_P(Agents, GoOnWithTheSameConversationAfterKill9) {
  auto go = (w->user() / "go").string();
  spawn("Wait for it\nWAIT: " + go);
  w->await_file("go.begun");
  await_activity("active");
  auto before = w->ask({"session", "show", "app-1"});
  EXPECT_EQ(before["status"], "working");
  ASSERT_EQ(::kill(before["runtime"]["pid"].get<pid_t>(), SIGKILL), 0);
  w->touch("go");
  auto restarted = w->await("agent_restarted", "session:app-1");
  auto again = await_activity("active", restarted["seq"].get<std::uint64_t>());
  await_activity("idle", again);
  auto after = w->ask({"session", "show", "app-1"});
  EXPECT_EQ(after["run"], 2);
  EXPECT_EQ(after["conversation"], before["conversation"]);
  auto asked = model.asked();
  ASSERT_GE(asked.size(), 2u);
  EXPECT_THAT(asked.front(), HasSubstr("Wait for it"));
  EXPECT_THAT(asked.back(), HasSubstr("You were interrupted (crash)"));
  EXPECT_GE(model.longest_conversation(), 2u);
}

TEST_P(Agents, AreStoppedInTheMiddleOfACommand) {
  auto never = (w->user() / "never").string();
  spawn("Wait for it\nWAIT: " + never);
  w->await_file("never.begun");
  await_activity("active");
  auto told = w->ao({"send", "app-1", "--stop", "--wait=answer",
                     "Leave it\nRUN: echo left > left.txt"});
  EXPECT_EQ(told.status.code, 0) << told.err;
  EXPECT_TRUE(fs::exists(w->worktree("app-1") / "left.txt"));
  EXPECT_EQ(w->ask({"session", "show", "app-1"})["run"], 1);
  // The command that it was in has ended with it.
  await_that([&] {
    auto all = processes_of(w->root());
    return std::none_of(all.begin(), all.end(), [&](const auto& p) {
      return p.arguments.find(never + ".begun") != std::string::npos;
    });
  });
}

TEST_P(Agents, AskAPersonAndGoOnWithTheAnswer) {
  begin(", agentConfig: {permissions: " + asking() + "}");
  spawn("Say hello\nASK: touch asked.txt");
  auto asks = await_activity("waiting_input");
  auto shown = w->ask({"session", "show", "app-1"});
  EXPECT_EQ(shown["status"], "needs_input");
  EXPECT_THAT(shown["question"].dump(), HasSubstr("touch asked.txt"));
  EXPECT_FALSE(fs::exists(w->worktree("app-1") / "asked.txt"));
  // A message waits for the answer, and is not taken for one.
  ASSERT_EQ(w->ao({"send", "app-1", "And go on"}).status.code, 0);
  w->at_pane("app-1", "send-keys", {"Enter"});
  await_activity("idle", asks);
  EXPECT_TRUE(fs::exists(w->worktree("app-1") / "asked.txt"));
  EXPECT_EQ(w->ao({"send", "app-1", "--wait=answer", "Well"}).status.code, 0);
  EXPECT_THAT(model.asked(), ElementsAre(testing::_, "And go on", "Well"));
}

INSTANTIATE_TEST_SUITE_P(Real, Agents,
                         testing::Values(agent_case{"codex", "codex"},
                                         agent_case{"claude-code", "claude"}),
                         [](const auto& info) { return info.param.program; });
