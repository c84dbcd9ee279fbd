#include "tests/support/config_reading.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

using namespace ao;
using namespace ao::test;
using namespace std::chrono_literals;

namespace {

// CONTRACT §5, word for word.
constexpr auto contract_sample = R"(
defaults: {agent: codex, notifiers: [openclaw]}
limits: {sessions: 15, spawnsPerMinute: 30, parallelSpawns: 16, minFreeMemory: 1GiB, minFreeDisk: 2GiB}
restart: {intensity: 2, period: 30m, delay: 15s, maxDelay: 5m, jitter: 0.25}      # also per project, per agent
hang: {after: 10m}                                                                  # likewise
agents:
  scripted: {adapter: command, command: [/opt/agent.sh], prompt: argument, resume: [/opt/agent.sh, --again], env: {}, passEnv: [], account: a, probe: [/opt/agent.sh, --check]}   # probe: exit 0 = ready
projects:
  app:
    path: ~/app
    defaultBranch: main
    sessionPrefix: app
    agent: scripted
    dispatch: manual            # or auto: every ready task starts within the caps, by priority, then age
    forge: {plugin: local, publish: null}                   # or {plugin: github, apiUrl, tokenEnv, webhook: {secretEnv}}
    tracker: {plugin: file, path: backlog.md}               # or {plugin: github}
    ci: {command: [make, test], timeout: 10m}               # local; absent = none = passing
    merge: {auto: true, method: squash, requireReview: false, deleteBranch: true}
    openChange: auto            # or agent
    branch: "ao/{session}"
    symlinks: []
    postCreate: []
    reviewer: {agent: scripted}
    duplicates: warn
    disconnect: {stopOnClientAfter: 8s, replace: true, reconcile: keep_original}
escalation: {selfHeal: {attempts: 5, deadline: 30m}, mediation: {agent: codex, deadline: 15m, rounds: 2}, human: {reRaise: [4h, 8h]}}
notifiers: {openclaw: {plugin: openclaw, url: http://127.0.0.1:18789/hooks/agent, token: "${OPENCLAW_HOOKS_TOKEN}", channel: telegram, to: "123", timeout: 20s, retryDelay: 1s, retryMaxDelay: 5m}}
notificationRouting: {urgent: [openclaw], action: [openclaw], warning: [openclaw], info: []}
cluster: {listen: "127.0.0.1:7420", heartbeat: 1s, suspectAfter: 3s, lostAfter: 8s, lease: 10s}
api: {listen: "127.0.0.1:7421"}
keep: {sessions: 14d, events: 90d, logs: 1GiB}
)";

const project_settings& project(const config_outcome& outcome,
                                const std::string& id) {
  return outcome.value->projects.at(project_id{id});
}

} // namespace

TEST(Config, AcceptsTheSampleOfTheContract) {
  auto outcome = read(contract_sample, {{"OPENCLAW_HOOKS_TOKEN", "t0ken"}});
  ASSERT_TRUE(outcome.value) << report(outcome);
  EXPECT_TRUE(outcome.notes.empty());
  const auto& all = *outcome.value;
  EXPECT_EQ(all.defaults.agent, "codex");
  EXPECT_EQ(all.limits.min_free_disk, 2ull << 30);
  EXPECT_EQ(all.restart.period, 30min);
  EXPECT_EQ(all.agents.at("scripted").resume,
            (command_line{"/opt/agent.sh", "--again"}));
  EXPECT_EQ(all.agents.at("scripted").prompt, prompt_delivery::argument);
  const auto& app = project(outcome, "app");
  EXPECT_EQ(app.path, "/home/me/app");
  EXPECT_EQ(app.tracker->path, "/home/me/app/backlog.md");
  EXPECT_FALSE(app.forge.publish);
  EXPECT_EQ(app.ci->command, (command_line{"make", "test"}));
  EXPECT_EQ(app.ci->timeout, 10min);
  EXPECT_EQ(app.merge.automatic, true);
  EXPECT_EQ(app.reviewer->agent, "scripted");
  EXPECT_EQ(all.escalation.mediation.agent, "codex");
  EXPECT_EQ(all.escalation.human.re_raise, (std::vector<milliseconds>{4h, 8h}));
  EXPECT_EQ(all.notifiers.at("openclaw").token, "t0ken");
  EXPECT_EQ(all.notifiers.at("openclaw").to, "123");
  EXPECT_EQ(all.notification_routing.info, std::vector<std::string>{});
  EXPECT_EQ(all.cluster.listen, "127.0.0.1:7420");
  EXPECT_EQ(all.keep.sessions, 24h * 14);
}

TEST(Config, CapsProjectsAndAgentsApart) {
  auto outcome = read("agents: {codex: {limits: {sessions: 2}}}\n"
                      "projects:\n"
                      "  app: {path: /a, limits: {sessions: 3}}\n"
                      "  web: {path: /w}\n");
  ASSERT_TRUE(outcome.value) << report(outcome);
  EXPECT_EQ(outcome.value->agents.at("codex").limits.sessions, 2u);
  EXPECT_FALSE(outcome.value->agents.at("gemini").limits.sessions);
  EXPECT_EQ(project(outcome, "app").limits.sessions, 3u);
  EXPECT_FALSE(project(outcome, "web").limits.sessions);
  EXPECT_THAT(shown(outcome, "projects.app.limits.sessions"),
              testing::StartsWith("3 <- "));
}

TEST(Config, FindsTheBacklogBelowTheProjectOrFromTheRoot) {
  auto of = [](const std::string& path) {
    auto outcome = read("projects: {app: {path: ~/app/, tracker: {path: \""
                        + path + "\"}}}\n");
    EXPECT_TRUE(outcome.value) << report(outcome);
    return outcome.value ? project(outcome, "app").tracker->path.string() : "";
  };
  EXPECT_EQ(of("docs/../TODO"), "/home/me/app/TODO");
  EXPECT_EQ(of("/srv/backlog.json"), "/srv/backlog.json");
  EXPECT_EQ(of("~/backlog.md"), "/home/me/backlog.md");
}

TEST(Config, IsJsonToo) {
  auto outcome = read(R"({"limits": {"sessions": 3},
                          "projects": {"app": {"path": "/a"}}})");
  ASSERT_TRUE(outcome.value) << report(outcome);
  EXPECT_EQ(outcome.value->limits.sessions, 3u);
}

TEST(Config, ReplacesVariablesInValuesOfEveryType) {
  auto outcome = read("limits: {sessions: \"${N}\"}\n"
                      "projects:\n"
                      "  app:\n"
                      "    path: ${ROOT}/app\n"
                      "    merge: {auto: \"${AUTO}\"}\n"
                      "    ci: {command: [make, \"-j${N}\"]}\n"
                      "    postCreate: ['echo $${N} ${X:-y} $1']\n",
                      {{"N", "7"}, {"ROOT", "/src"}, {"AUTO", "false"}});
  ASSERT_TRUE(outcome.value) << report(outcome);
  EXPECT_EQ(outcome.value->limits.sessions, 7u);
  const auto& app = project(outcome, "app");
  EXPECT_EQ(app.path, "/src/app");
  EXPECT_EQ(app.merge.automatic, false);
  EXPECT_EQ(app.ci->command[1], "-j7");
  EXPECT_EQ(app.post_create[0], "echo ${N} ${X:-y} $1");
}

TEST(Config, DoesNotLookIntoWhatAVariableHolds) {
  auto outcome
    = read("projects: {app: {path: /a, name: \"${A}\"}}\n", {{"A", "${B}"}});
  ASSERT_TRUE(outcome.value) << report(outcome);
  EXPECT_EQ(project(outcome, "app").name, "${B}");
}

TEST(Config, TakesRelativePathsFromTheDirectoryOfTheFile) {
  auto outcome = read("projects: {app: {path: ../other}}\n");
  ASSERT_TRUE(outcome.value) << report(outcome);
  EXPECT_EQ(project(outcome, "app").path, "/work/other");
}

TEST(Config, SaysWhereEachValueComesFrom) {
  auto outcome = read("limits:\n"
                      "  sessions: 3\n"
                      "projects:\n"
                      "  app:\n"
                      "    path: ~/AgentOrchestrator\n"
                      "    scm:\n"
                      "      publish: origin\n"
                      "notifiers:\n"
                      "  phone:\n"
                      "    plugin: openclaw\n"
                      "    token: abcdef\n"
                      "    retryDelayMs: 2000\n");
  ASSERT_TRUE(outcome.value) << report(outcome);
  EXPECT_EQ(shown(outcome, "limits.sessions"), "3 <- /work/app/ao.yaml:2");
  EXPECT_EQ(shown(outcome, "limits.spawnsPerMinute"), "30 <- default");
  EXPECT_EQ(shown(outcome, "projects.app.sessionPrefix"), "ao <- derived");
  EXPECT_EQ(shown(outcome, "projects.app.merge.auto"), "true <- derived");
  EXPECT_EQ(shown(outcome, "projects.app.forge.publish"),
            "origin <- /work/app/ao.yaml:7 (as scm)");
  EXPECT_EQ(shown(outcome, "notifiers.phone.token"),
            "*** <- /work/app/ao.yaml:11");
  EXPECT_EQ(shown(outcome, "notifiers.phone.retryDelay"),
            "2000 <- /work/app/ao.yaml:12 (as retryDelayMs)");
  EXPECT_EQ(outcome.value->notifiers.at("phone").retry_delay, 2s);
}

TEST(Config, HidesVariablesOfAgentsThatSoundSecret) {
  auto outcome = read("agents: {codex: {env: {API_KEY: k3y-value, A: b}}}\n");
  ASSERT_TRUE(outcome.value) << report(outcome);
  EXPECT_EQ(shown(outcome, "agents.codex.env"),
            "{API_KEY: ***, A: b} <- /work/app/ao.yaml:1");
}

TEST(Config, ListsEverySecretForTheRedactor) {
  std::map<std::string, std::string> vars{{"MY_TOKEN", "forge-secret"},
                                          {"HOOK", "hook-secret"}};
  auto outcome
    = read("agents: {codex: {env: {API_KEY: agent-secret, A: plain}}}\n"
           "projects:\n"
           "  app:\n"
           "    path: /a\n"
           "    forge: {tokenEnv: MY_TOKEN, webhook: {secretEnv: HOOK}}\n"
           "notifiers:\n"
           "  a: {plugin: openclaw, token: gateway-secret}\n"
           "  b: {plugin: webhook, url: https://x/, headers: {X-Key: "
           "header-secret}}\n",
           vars);
  ASSERT_TRUE(outcome.value) << report(outcome);
  auto secrets = secrets_in(*outcome.value, environment(vars));
  std::sort(secrets.begin(), secrets.end());
  EXPECT_EQ(
    secrets,
    (std::vector<std::string>{"agent-secret", "forge-secret", "gateway-secret",
                              "header-secret", "hook-secret"}));
}

TEST(Config, AgentsPrefixesAndPoliciesAreInherited) {
  auto outcome = read("defaults: {agent: codex, worker: {agent: aider}}\n"
                      "restart: {intensity: 9, delay: 1s}\n"
                      "agents: {gemini: {restart: {intensity: 1}}}\n"
                      "projects:\n"
                      "  a: {path: /p/a, restart: {delay: 2s}}\n"
                      "  b: {path: /p/b, agent: gemini}\n"
                      "  c: {path: /p/c, agent: gemini, "
                      "worker: {agent: cursor}}\n");
  ASSERT_TRUE(outcome.value) << report(outcome);
  const auto& all = *outcome.value;
  EXPECT_EQ(agent_of(all, project(outcome, "a")), "aider");
  EXPECT_EQ(orchestrator_of(all, project(outcome, "a")), "codex");
  EXPECT_EQ(agent_of(all, project(outcome, "b")), "gemini");
  EXPECT_EQ(agent_of(all, project(outcome, "c")), "cursor");
  auto policy = restart_of(all, project(outcome, "a"), "gemini");
  EXPECT_EQ(policy.intensity, 1u);
  EXPECT_EQ(policy.delay, 2s);
  EXPECT_EQ(policy.max_delay, 5min);
}

TEST(Config, LoadsNoFileThatCannotBeRead) {
  auto missing = load_config("/nowhere/ao.yaml", environment());
  EXPECT_EQ(report(missing),
            "ao.yaml:1:1: (document): cannot be read: No "
            "such file or directory, expected a readable "
            "file");
  EXPECT_EQ(report(load_config("/tmp", environment())),
            "tmp:1:1: (document): is a directory, expected a file");
}

// -- what is found -----------------------------------------------------------

namespace {

class FindConfig : public ::testing::Test {
protected:
  void SetUp() override {
    auto pattern
      = (std::filesystem::temp_directory_path() / "ao-find-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root = pattern;
    std::filesystem::create_directories(root / "a/b/c");
    std::filesystem::create_directories(root / "home");
  }
  void TearDown() override { std::filesystem::remove_all(root); }

  void touch(const std::string& name) { std::ofstream{root / name} << "{}\n"; }

  std::optional<std::filesystem::path>
  find(std::map<std::string, std::string> vars = {}) {
    return find_config(root / "a/b/c", environment(std::move(vars)),
                       root / "home");
  }

  std::filesystem::path root;
};

} // namespace

TEST_F(FindConfig, TakesTheNearestUpwardsThenTheHome) {
  EXPECT_EQ(find(), std::nullopt);
  touch("home/config.yaml");
  EXPECT_EQ(find(), root / "home/config.yaml");
  touch("a/agent-orchestrator.yml");
  EXPECT_EQ(find(), root / "a/agent-orchestrator.yml");
  touch("a/agent-orchestrator.yaml");
  EXPECT_EQ(find(), root / "a/agent-orchestrator.yaml");
  touch("a/ao.yaml");
  EXPECT_EQ(find(), root / "a/ao.yaml");
  touch("a/b/agent-orchestrator.yaml");
  EXPECT_EQ(find(), root / "a/b/agent-orchestrator.yaml");
}

TEST_F(FindConfig, PrefersTheVariableEvenIfItsFileIsMissing) {
  touch("a/ao.yaml");
  EXPECT_EQ(find({{"AO_CONFIG_PATH", "/nowhere/x.yaml"}}),
            std::filesystem::path{"/nowhere/x.yaml"});
  EXPECT_EQ(find({{"AO_CONFIG_PATH", ""}}), root / "a/ao.yaml");
}

// -- what is derived ---------------------------------------------------------

TEST(DeriveConfig, TakesProjectBranchAgentAndPrefixFromTheRepository) {
  auto outcome = derive_config(
    {"/src/My Fine-App", "feature", "trunk", "git@github.com:me/fine-app.git"},
    {"aider", "codex"});
  ASSERT_TRUE(outcome.value);
  const auto& p = project(outcome, "MyFine-App");
  EXPECT_EQ(p.path, "/src/My Fine-App");
  EXPECT_EQ(p.default_branch, "trunk");
  EXPECT_EQ(p.repo, "me/fine-app");
  EXPECT_EQ(p.session_prefix, "mfa");
  EXPECT_EQ(p.forge.plugin, forge_kind::local);
  EXPECT_EQ(outcome.value->defaults.agent, "codex");
  EXPECT_EQ(shown(outcome, "defaults.agent"), "codex <- derived");
  EXPECT_EQ(shown(outcome, "projects.MyFine-App.defaultBranch"),
            "trunk <- derived");
}

TEST(DeriveConfig, FallsBackToTheCurrentBranchThenToMain) {
  auto branch = [](const repository_facts& facts) {
    return derive_config(facts, {})
      .value->projects.begin()
      ->second.default_branch;
  };
  EXPECT_EQ(branch({"/a", "work", "", ""}), "work");
  EXPECT_EQ(branch({"/a", "", "", ""}), "main");
}

TEST(DeriveConfig, DerivesPrefixesLikeTheOriginal) {
  for (auto [name, prefix] : std::vector<std::pair<std::string, std::string>>{
         {"app", "app"},
         {"Test", "test"},
         {"AgentOrchestrator", "ao"},
         {"agent-orchestrator", "ao"},
         {"my_long_name", "mln"},
         {"integrator", "int"},
         {"Splitly", "spl"},
         {"____x", "x"},
         {"_____", "___"},
         {"日本", "pro"}})
    EXPECT_EQ(derive_session_prefix(name), prefix) << name;
}

TEST(DeriveConfig, ReadsOwnerAndNameFromTheUrlOfARemote) {
  for (auto url : {"https://github.com/me/app", "https://github.com/me/app.git",
                   "https://user@github.com/me/app/", "git@github.com:me/app",
                   "ssh://git@github.com:22/me/app.git"})
    EXPECT_EQ(repo_of_url(url), "me/app") << url;
  for (auto url : {"", "/srv/me/app.git", "../me/app", "file:///srv/me/app",
                   "https://github.com/app", "https://h/a/b/c"})
    EXPECT_EQ(repo_of_url(url), "") << url;
}
