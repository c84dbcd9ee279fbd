// What each adapter makes of a launch: argument vectors, environment,
// configuration of the session, and the conversation that is gone on with.

#include "messages/json.hpp"
#include "runtime/agents/launch.hpp"
#include "runtime/agents/rules_text.hpp"
#include "runtime/home/files.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace ao;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

namespace {

class AgentLaunch : public testing::Test {
protected:
  void SetUp() override {
    auto name = (fs::temp_directory_path() / "ao-launch-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root = fs::canonical(name);
    for (const auto* dir : {"bin", "user", "session"})
      fs::create_directory(root / dir);
    for (const auto* program : {"codex", "claude", "gemini", "agent.sh"})
      ASSERT_TRUE(write_file_durably((root / "bin" / program).string(),
                                     "#!/bin/sh\n", 0755));
    request.project.id = project_id{"app"};
    request.spec.session = session_id{"app-1"};
    request.spec.project = project_id{"app"};
    request.spec.task = task_id{"T3"};
    request.spec.epoch = 4;
    request.spec.branch = "ao/app-1";
    request.spec.base = "main";
    request.spec.prompt = "Fix it";
    request.places.directory = (root / "session").string();
    request.places.worktree = (root / "work tree").string();
    request.places.programs = "/opt/ao/bin";
    request.env.set("PATH", (root / "bin").string());
    request.env.set("HOME", (root / "user").string());
  }

  void TearDown() override { fs::remove_all(root); }

  void use(const std::string& name) {
    request.agent = default_settings_of_all().agents.at(name);
  }

  agent_launch plan() {
    auto launch = plan_launch(request);
    EXPECT_TRUE(launch) << to_string(launch.error());
    return launch.value_or(agent_launch{});
  }

  void again(resume_reason why) {
    request.spec.run += 1;
    request.spec.resume = why;
  }

  void write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream{file} << text;
  }

  /// A rollout that began in the worktree.
  fs::path begin_rollout(const std::string& id) {
    auto file = root / "user/.codex/sessions/2026/11/27"
      / ("rollout-2026-11-27T08-00-00-" + id + ".jsonl");
    write(file,
          dump(json{{"type", "session_meta"},
                    {"payload",
                     {{"id", id},
                      {"cwd", request.places.worktree},
                      {"thread_source", "user"}}}})
            + "\n");
    return file;
  }

  void append_codex_message(const fs::path& file, const std::string& text) {
    std::ofstream{file, std::ios::app}
      << dump(json{{"type", "event_msg"},
                   {"payload",
                    {{"type", "item_completed"},
                     {"item",
                      {{"type", "UserMessage"},
                       {"content", {{{"type", "text"}, {"text", text}}}}}}}}})
      << "\n";
  }

  std::string after(const std::vector<std::string>& argv,
                    const std::string& option) {
    for (std::size_t i = 0; i + 1 < argv.size(); ++i)
      if (argv[i] == option)
        return argv[i + 1];
    ADD_FAILURE() << "no " << option;
    return {};
  }

  fs::path root;
  launch_request request;
};

} // namespace

TEST_F(AgentLaunch, StartsCodexWithoutItsDaemonAndWithoutADialog) {
  use("codex");
  auto launch = plan();
  auto& argv = launch.argv;
  ASSERT_GE(argv.size(), 6u);
  EXPECT_EQ(argv[0], (root / "bin/codex").string());
  EXPECT_EQ(argv[1], "--disable");
  EXPECT_EQ(argv[2], "daemon_auto_start");
  EXPECT_THAT(argv, Contains("--dangerously-bypass-approvals-and-sandbox"));
  EXPECT_THAT(argv,
              Contains("projects={\"" + request.places.worktree
                       + "\"={trust_level=\"trusted\"}}"));
  EXPECT_THAT(argv,
              Contains(HasSubstr("developer_instructions=\"You work for "
                                 "ao")));
  EXPECT_EQ(argv[argv.size() - 2], "--");
  EXPECT_EQ(argv.back(), "Fix it");
  EXPECT_FALSE(launch.configuration);
  EXPECT_EQ(launch.env.get("CODEX_HOME"), "");
}

TEST_F(AgentLaunch, SaysToEachProgramWhatItMayDo) {
  use("codex");
  request.project.agent_defaults.permissions = agent_permissions::auto_edit;
  request.project.agent_defaults.model = "gpt-5";
  auto argv = plan().argv;
  EXPECT_EQ(after(argv, "--ask-for-approval"), "never");
  EXPECT_EQ(after(argv, "--sandbox"), "workspace-write");
  EXPECT_EQ(after(argv, "--model"), "gpt-5");
  EXPECT_THAT(argv, Not(Contains(HasSubstr("dangerously"))));
  use("claude-code");
  argv = plan().argv;
  EXPECT_EQ(after(argv, "--permission-mode"), "acceptEdits");
  use("gemini");
  argv = plan().argv;
  EXPECT_EQ(after(argv, "--approval-mode"), "auto_edit");
  EXPECT_EQ(after(argv, "-i"), "Fix it");
}

TEST_F(AgentLaunch, TakesPermissionsAndModelByRole) {
  auto& p = request.project;
  p.agent_defaults.model = "all";
  p.orchestrator.config.emplace();
  p.orchestrator.config->model = "some";
  p.orchestrator.config->orchestrator_model = "chief";
  EXPECT_EQ(config_for(p, session_role::worker).model, "all");
  EXPECT_EQ(config_for(p, session_role::mediator).model, "chief");
}

TEST_F(AgentLaunch, TellsTheRulesOfRoleAndProject) {
  use("claude-code");
  request.project.agent_rules = "Use tabs.";
  request.project.agent_rules_file = root / "rules.md";
  write(root / "rules.md", "Say why.\n");
  auto told = after(plan().argv, "--append-system-prompt");
  EXPECT_THAT(told, HasSubstr("`ao report completed`"));
  EXPECT_THAT(told, HasSubstr("Use tabs.\nSay why.\n"));
  request.project.open_change = change_opener::agent;
  EXPECT_THAT(after(plan().argv, "--append-system-prompt"),
              HasSubstr("ao pr create"));
  request.spec.role = session_role::reviewer;
  told = after(plan().argv, "--append-system-prompt");
  EXPECT_THAT(told, HasSubstr("ao review submit"));
  EXPECT_THAT(told, Not(HasSubstr("tabs")));
  request.spec.role = session_role::worker;
  fs::remove(root / "rules.md");
  auto refused = plan_launch(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::bad_input);
}

TEST_F(AgentLaunch, ReadsNoRulesThroughALinkOutOfTheProject) {
  use("claude-code");
  request.project.path = root / "checkout";
  write(root / "checkout/own.md", "Use tabs.\n");
  write(root / "private", "private\n");
  fs::create_symlink("own.md", root / "checkout/inside.md");
  fs::create_symlink(root / "private", root / "checkout/rules.md");
  request.project.agent_rules_file = root / "checkout/inside.md";
  EXPECT_THAT(after(plan().argv, "--append-system-prompt"),
              HasSubstr("Use tabs."));
  request.project.agent_rules_file = root / "checkout/rules.md";
  auto refused = plan_launch(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::bad_input);
  EXPECT_THAT(refused.error().context, HasSubstr("a link leads out"));
  // One that is named outside is the person's own wish.
  request.project.agent_rules_file = root / "private";
  EXPECT_TRUE(plan_launch(request));
}

TEST_F(AgentLaunch, UsesTheUsersLoginOfClaudeWhereItIs) {
  use("claude-code");
  write(root / "user/.claude.json", R"({"hasCompletedOnboarding":true})");
  write(root / "user/.claude/.credentials.json", "{}");
  auto launch = plan();
  EXPECT_FALSE(launch.configuration);
  EXPECT_EQ(launch.env.get("CLAUDE_CONFIG_DIR"), "");
  EXPECT_EQ(launch.env.get("CLAUDE_CODE_SANDBOXED"), "1");
  EXPECT_THAT(after(launch.argv, "--settings"),
              HasSubstr("skipDangerousModePermissionPrompt"));
  EXPECT_EQ(after(launch.argv, "--session-id"), launch.talk.id);
  EXPECT_EQ(launch.talk.id.size(), 36u);
}

TEST_F(AgentLaunch, AnswersClaudesDialogsInADirectoryOfTheSession) {
  use("claude-code");
  auto user = root / "user/.claude.json";
  write(user, R"({"theme":"light"})");
  write(root / "user/.claude/settings.json", "{}");
  write(root / "user/.claude/.credentials.json", "{}");
  request.env.set("ANTHROPIC_API_KEY", "sk-ant-0123456789012345678901234");
  auto launch = plan();
  ASSERT_TRUE(launch.configuration);
  ASSERT_TRUE(make_overlay(*launch.configuration));
  ASSERT_TRUE(make_overlay(*launch.configuration));
  fs::path ours = launch.env.get("CLAUDE_CONFIG_DIR");
  EXPECT_EQ(ours, root / "session/claude");
  auto state = json::parse(std::ifstream{ours / ".claude.json"});
  EXPECT_EQ(state["theme"], "light");
  EXPECT_EQ(state["hasCompletedOnboarding"], true);
  EXPECT_THAT(
    state["customApiKeyResponses"]["approved"].get<std::vector<std::string>>(),
    ElementsAre("56789012345678901234"));
  EXPECT_TRUE(fs::is_symlink(ours / "settings.json"));
  // The program replaces it when it renews the login.
  EXPECT_FALSE(fs::exists(ours / ".credentials.json"));
  std::ifstream in{user};
  EXPECT_EQ(json::parse(in), (json{{"theme", "light"}}));
  // It stays the session's when the user has answered meanwhile.
  request.env.unset("ANTHROPIC_API_KEY");
  write(user, R"({"hasCompletedOnboarding":true})");
  again(resume_reason::crash);
  EXPECT_EQ(plan().env.get("CLAUDE_CONFIG_DIR"), ours.string());
}

TEST_F(AgentLaunch, BeginsAnewWhereNoConversationWasBegun) {
  for (const auto* name : {"codex", "claude-code", "gemini"}) {
    use(name);
    request.spec.run = 1;
    request.spec.resume = resume_reason::none;
    auto first = plan();
    again(resume_reason::crash);
    auto second = plan();
    EXPECT_EQ(second.argv, first.argv) << name;
    EXPECT_EQ(second.argv.back(), "Fix it") << name;
  }
}

TEST_F(AgentLaunch, ResumesCodexByTheIdInItsTranscript) {
  use("codex");
  plan();
  auto rollout = begin_rollout("01a2");
  again(resume_reason::crash);
  auto launch = plan();
  EXPECT_EQ(after(launch.argv, "resume"), "01a2");
  EXPECT_EQ(launch.talk.transcript, rollout.string());
  EXPECT_EQ(launch.argv.back(), "Fix it") << "it had not heard it";
  append_codex_message(rollout, "Fix it\n");
  again(resume_reason::hang);
  EXPECT_THAT(plan().argv.back(), HasSubstr("interrupted (hang)"));
}

TEST_F(AgentLaunch, GivesAMessageThoughTheSameWasSaidBefore) {
  use("codex");
  plan();
  auto rollout = begin_rollout("01a2");
  append_codex_message(rollout, "Go on");
  request.spec.prompt = "Go on";
  again(resume_reason::message);
  EXPECT_EQ(plan().argv.back(), "Go on");
  again(resume_reason::crash);
  EXPECT_EQ(plan().argv.back(), "Go on") << "the run had not heard it";
  append_codex_message(rollout, "Go on");
  again(resume_reason::crash);
  EXPECT_THAT(plan().argv.back(), HasSubstr("interrupted"));
}

TEST_F(AgentLaunch, ResumesClaudeByTheIdThatItWasGiven) {
  use("claude-code");
  auto first = plan();
  std::string folder;
  for (char c : request.places.worktree)
    folder += std::isalnum(static_cast<unsigned char>(c)) ? c : '-';
  // Without a login or a key it has a directory of the session.
  auto file
    = root / "session/claude/projects" / folder / (first.talk.id + ".jsonl");
  write(file,
        R"({"type":"user","message":{"content":"Fix it"},"sessionId":")"
          + first.talk.id + "\"}\n");
  again(resume_reason::restore);
  auto second = plan();
  EXPECT_EQ(after(second.argv, "--resume"), first.talk.id);
  EXPECT_THAT(second.argv.back(), HasSubstr("interrupted (restore)"));
}

TEST_F(AgentLaunch, KeepsTheCommandAgentAsItIs) {
  request.agent.name = "mine";
  request.agent.adapter = "command";
  request.agent.command = {"agent.sh", "-x"};
  request.agent.resume = {"agent.sh", "--again"};
  EXPECT_THAT(plan().argv,
              ElementsAre((root / "bin/agent.sh").string(), "-x", "Fix it"));
  again(resume_reason::crash);
  EXPECT_THAT(
    plan().argv,
    ElementsAre((root / "bin/agent.sh").string(), "--again", "Fix it"));
  EXPECT_FALSE(fs::exists(root / "session/conversation.json"));
}

TEST_F(AgentLaunch, TakesTheProgramFromTheConfiguration) {
  use("codex");
  request.agent.command = {(root / "bin/agent.sh").string(), "--profile", "x"};
  auto argv = plan().argv;
  EXPECT_EQ(argv[0], (root / "bin/agent.sh").string());
  EXPECT_EQ(argv[1], "--profile");
  EXPECT_EQ(argv[3], "--disable");
  request.agent.command.clear();
  fs::remove(root / "bin/codex");
  auto missing = plan_launch(request);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ec::agent_not_ready);
}

TEST_F(AgentLaunch, PassesOnTheVariablesOfTheProgramAndTheConfiguration) {
  use("codex");
  ::setenv("CODEX_HOME", "/c", 1);
  ::setenv("AO_TEST_MINE", "m", 1);
  ::setenv("AO_TEST_OTHER", "o", 1);
  request.agent.pass_env = {"AO_TEST_MINE"};
  request.agent.env["ADDED"] = "a";
  auto env = environment_for(request.agent, environment{}.set("HOME", "/h"));
  ::unsetenv("CODEX_HOME");
  ::unsetenv("AO_TEST_MINE");
  ::unsetenv("AO_TEST_OTHER");
  EXPECT_EQ(env.get("CODEX_HOME"), "/c");
  EXPECT_EQ(env.get("AO_TEST_MINE"), "m");
  EXPECT_EQ(env.get("ADDED"), "a");
  EXPECT_EQ(env.get("HOME"), "/h");
  EXPECT_EQ(env.get("AO_TEST_OTHER"), "");
}
