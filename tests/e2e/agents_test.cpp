// The real agent programs under ao, offline: they edit, run, commit, are found
// working and idle, are told messages exactly once, and go on with the same
// conversation after they were killed.

#include "tests/support/agent_programs.hpp"
#include "tests/support/fake_model.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

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
    world_options options;
    options.settings += "defaults: {agent: " + GetParam().name + "}\n";
    options.project = ", merge: {auto: false}";
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

  void spawn(const std::string& prompt) {
    auto end = w->ao({"spawn", "--prompt", prompt});
    ASSERT_EQ(end.status.code, 0) << end.err;
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
}

INSTANTIATE_TEST_SUITE_P(Real, Agents,
                         testing::Values(agent_case{"codex", "codex"},
                                         agent_case{"claude-code", "claude"}),
                         [](const auto& info) { return info.param.program; });
