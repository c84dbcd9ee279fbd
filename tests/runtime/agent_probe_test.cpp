// Whether an agent could start now, asked of stand-ins for its program: their
// words, their files of secrets.

#include "runtime/agents/readiness.hpp"
#include "runtime/home/files.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace ao;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

namespace {

class AgentProbe : public testing::Test {
protected:
  void SetUp() override {
    auto name = (fs::temp_directory_path() / "ao-probe-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root = fs::canonical(name);
    fs::create_directories(root / "user/.codex");
    fs::create_directories(root / "user/.claude");
    fs::create_directory(root / "bin");
    env.set("PATH", (root / "bin").string() + ":/usr/bin:/bin");
    env.set("HOME", (root / "user").string());
  }

  void TearDown() override { fs::remove_all(root); }

  void program(const std::string& name, const std::string& script) {
    ASSERT_TRUE(write_file_durably((root / "bin" / name).string(),
                                   "#!/bin/sh\n" + script, 0755));
  }

  std::string secret(const std::string& name, mode_t mode) {
    auto file = (root / "user" / name).string();
    std::ofstream{file} << "{}";
    ::chmod(file.c_str(), mode);
    return file;
  }

  agent_readiness probe(const std::string& agent) {
    return probe_agent(default_settings_of_all().agents.at(agent), env,
                       root.string());
  }

  fs::path root;
  environment env;
};

} // namespace

TEST_F(AgentProbe, TellsAProgramThatIsNotThere) {
  env.set("PATH", (root / "bin").string());
  auto answer = probe("codex");
  EXPECT_FALSE(answer.ready);
  EXPECT_THAT(answer.reason, HasSubstr("codex"));
}

TEST_F(AgentProbe, AsksCodexInTheEnvironmentOfTheLaunch) {
  program("codex",
          "test \"$1 $2\" = 'login status' && test -n \"$LOGGED_IN\" "
          "|| { echo 'Not logged in' >&2; exit 1; }\n");
  auto answer = probe("codex");
  EXPECT_FALSE(answer.ready);
  EXPECT_THAT(answer.reason, HasSubstr("Not logged in"));
  EXPECT_THAT(answer.reason, HasSubstr("codex login"));
  env.set("LOGGED_IN", "1");
  EXPECT_TRUE(probe("codex").ready);
}

TEST_F(AgentProbe, NeedsNoLoginOfCodexForAnotherProvider) {
  program("codex", "exit 1\n");
  auto config = root / "user/.codex/config.toml";
  std::ofstream{config} << "model_provider = \"mine\"\n";
  EXPECT_TRUE(probe("codex").ready);
  std::ofstream{config, std::ios::app}
    << "[model_providers.mine]\nrequires_openai_auth = true\n";
  EXPECT_FALSE(probe("codex").ready);
}

TEST_F(AgentProbe, NamesFileModeOwnerAndRepairOfALogin) {
  program("codex", "exit 0\n");
  auto file = secret(".codex/auth.json", 0644);
  auto answer = probe("codex");
  EXPECT_FALSE(answer.ready);
  EXPECT_THAT(answer.reason, HasSubstr(file + ", mode 0644, owner "));
  EXPECT_THAT(answer.reason, HasSubstr("run `chmod 600 " + file + "`"));
  ::chmod(file.c_str(), 0);
  EXPECT_THAT(probe("codex").reason, HasSubstr("cannot be read"));
  ::chmod(file.c_str(), 0600);
  EXPECT_TRUE(probe("codex").ready);
}

TEST_F(AgentProbe, AsksClaude) {
  program("claude", "echo '{\"loggedIn\": false}'; exit 1\n");
  auto answer = probe("claude-code");
  EXPECT_FALSE(answer.ready);
  EXPECT_THAT(answer.reason, HasSubstr("claude auth login"));
  env.set("ANTHROPIC_API_KEY", "sk-ant-1");
  EXPECT_TRUE(probe("claude-code").ready);
  secret(".claude/.credentials.json", 0640);
  EXPECT_THAT(probe("claude-code").reason, HasSubstr("mode 0640"));
}

TEST_F(AgentProbe, AsksTheConfiguredProbeInstead) {
  agent_settings agent;
  agent.name = "mine";
  agent.adapter = "command";
  agent.command = {"/bin/true"};
  EXPECT_TRUE(probe_agent(agent, env, root.string()).ready);
  agent.probe = {"/bin/sh", "-c", "echo no disk >&2; exit 3"};
  auto answer = probe_agent(agent, env, root.string());
  EXPECT_FALSE(answer.ready);
  EXPECT_THAT(answer.reason, HasSubstr("exited 3: no disk"));
  agent.probe = {"/nowhere/probe"};
  EXPECT_FALSE(probe_agent(agent, env, root.string()).ready);
}

TEST_F(AgentProbe, AsksOnceForThoseWhoAskTogether) {
  auto count = root / "count";
  agent_settings agent;
  agent.name = "mine";
  agent.adapter = "command";
  agent.probe = {"/bin/sh", "-c", "echo x >> " + count.string()};
  agent_readiness_desk desk;
  EXPECT_TRUE(desk.ask(agent, env, root.string()).ready);
  EXPECT_TRUE(desk.ask(agent, env, root.string()).ready);
  EXPECT_EQ(fs::file_size(count), 2u);
}

TEST_F(AgentProbe, ReadsAVersion) {
  program("codex", "echo 'codex-cli 0.171.0'\n");
  program("claude", "echo '2.1.197 (Claude Code)'\n");
  program("aider", "exit 1\n");
  EXPECT_EQ(version_of((root / "bin/codex").string(), env, root.string()),
            "0.171.0");
  EXPECT_EQ(version_of((root / "bin/claude").string(), env, root.string()),
            "2.1.197");
  EXPECT_THAT(version_of((root / "bin/aider").string(), env, root.string()),
              IsEmpty());
}
