#include "runtime/rules/reactions.hpp"
#include "tests/support/config_reading.hpp"

#include <gtest/gtest.h>

#include <algorithm>

using namespace ao;
using namespace ao::test;
using namespace std::chrono_literals;

namespace {

constexpr auto wrapped = R"(# yaml-language-server: $schema=./schema.json
$schema: https://example.org/config.schema.json
port: 3000
terminalPort: 14800
directTerminalPort: 14801
readyThresholdMs: 600000
power:
  preventIdleSleep: true
lifecycle:
  autoCleanupOnMerge: false
  mergeCleanupIdleGraceMs: 0
dashboard:
  attentionZones: simple
plugins:
  - {name: mine, source: npm, package: "@me/mine", enabled: false}
defaults:
  runtime: tmux
  agent: claude-code
  workspace: worktree
  notifiers: [desktop, openclaw]
  orchestrator: {agent: claude-code}
  worker: {agent: codex}
projects:
  my-app:
    name: My App
    repo: me/my-app
    path: ~/my-app
    defaultBranch: develop
    sessionPrefix: app
    runtime: tmux
    agent: claude-code
    workspace: worktree
    tracker: {plugin: github}
    symlinks: [.env, .claude]
    postCreate:
      - "pnpm install"
    agentConfig:
      permissions: skip
      model: opus
      someFutureKey: 1
    orchestrator: {agent: codex, agentConfig: {permissions: default}}
    worker: {agentConfig: {model: sonnet}}
    agentRules: |
      Always run tests.
      	A tab inside a block is text.
    agentRulesFile: .agent-rules.md
    orchestratorRules: Be brief.
    orchestratorSessionStrategy: kill-previous
    opencodeIssueSessionStrategy: reuse
    decomposer: {enabled: true}
    reactions:
      approved-and-green: {auto: true, action: auto-merge}
notifiers:
  slack:
    plugin: slack
    webhook: ${SLACK_WEBHOOK_URL}
  openclaw:
    plugin: openclaw
    token: "${OPENCLAW_HOOKS_TOKEN}"
    retries: 3
    retryDelayMs: 1000
    wakeMode: now
notificationRouting:
  urgent: [desktop, slack, openclaw]
  info: [openclaw]
reactions:
  ci-failed: {auto: true, action: send-to-agent, retries: 7, escalateAfter: 2}
  changes-requested: {action: send-to-agent, escalateAfter: 30m}
  agent-stuck: {action: notify, priority: urgent, threshold: 10m}
  all-complete: {action: notify, priority: info, includeSummary: true}
)";

std::vector<std::string> noted(const config_outcome& outcome) {
  std::vector<std::string> out;
  for (const auto& n : outcome.notes)
    out.push_back(n.key);
  std::sort(out.begin(), out.end());
  return out;
}

} // namespace

TEST(OriginalConfig, IsReadAsItIs) {
  auto outcome = read(wrapped, {{"OPENCLAW_HOOKS_TOKEN", "t0ken"}},
                      "/work/agent-orchestrator.yaml");
  ASSERT_TRUE(outcome.value) << report(outcome);
  const auto& all = *outcome.value;
  const auto& p = all.projects.at(project_id{"my-app"});
  EXPECT_EQ(p.path, "/home/me/my-app");
  EXPECT_EQ(p.name, "My App");
  EXPECT_EQ(p.default_branch, "develop");
  EXPECT_EQ(p.forge.plugin, forge_kind::local);
  EXPECT_EQ(p.agent_defaults.permissions, agent_permissions::permissionless);
  EXPECT_EQ(p.worker.config->model, "sonnet");
  EXPECT_EQ(p.orchestrator.config->permissions, agent_permissions::standard);
  EXPECT_EQ(p.agent_rules,
            "Always run tests.\n\tA tab inside a block is "
            "text.\n");
  EXPECT_EQ(p.agent_rules_file, "/home/me/my-app/.agent-rules.md");
  EXPECT_EQ(p.reactions.at("approved-and-green").action,
            reaction_action::auto_merge);
  EXPECT_EQ(agent_of(all, p), "claude-code");
  EXPECT_EQ(orchestrator_of(all, p), "codex");
  EXPECT_EQ(all.ready_threshold, 10min);
  EXPECT_FALSE(all.lifecycle.auto_cleanup_on_merge);
  EXPECT_EQ(all.lifecycle.merge_cleanup_idle_grace, 0ms);
  EXPECT_EQ(all.notifiers.at("openclaw").token, "t0ken");
  EXPECT_EQ(all.notifiers.at("desktop").plugin, "desktop");
  EXPECT_EQ(notifiers_for(all, priority::info),
            std::vector<std::string>{"openclaw"});
  EXPECT_EQ(notifiers_for(all, priority::warning),
            (std::vector<std::string>{"desktop", "openclaw"}));
  EXPECT_EQ(all.reactions.at("ci-failed").escalate_after_tries, 2u);
  EXPECT_EQ(all.reactions.at("changes-requested").escalate_after_time, 30min);
  EXPECT_EQ(all.reactions.at("agent-stuck").threshold, 10min);
}

TEST(OriginalConfig, HasNothingThatIsIgnoredInSilence) {
  auto outcome = read(wrapped, {{"OPENCLAW_HOOKS_TOKEN", "t"}});
  EXPECT_EQ(noted(outcome),
            (std::vector<std::string>{
              "dashboard", "directTerminalPort", "notifiers.openclaw.retries",
              "notifiers.slack.plugin", "notifiers.slack.webhook", "plugins",
              "port", "power", "projects.my-app.agentConfig.someFutureKey",
              "projects.my-app.decomposer",
              "projects.my-app.opencodeIssueSessionStrategy",
              "projects.my-app.orchestratorSessionStrategy",
              "projects.my-app.tracker.plugin", "reactions.ci-failed.retries",
              "terminalPort"}));
}

std::uint32_t tries_of_ci(const settings& all, const project_settings& p) {
  return escalation_policy_of(all, &p, incident_cause::ci_failed).self_heals;
}

TEST(OriginalConfig, RetriesReplaceOurAttemptsAndStopAtFive) {
  auto outcome = read(wrapped, {{"OPENCLAW_HOOKS_TOKEN", "t"}});
  const auto& all = *outcome.value;
  EXPECT_EQ(tries_of_ci(all, all.projects.begin()->second), 2u);
  auto note = std::find_if(outcome.notes.begin(), outcome.notes.end(),
                           [](const config_note& n) {
                             return n.key == "reactions.ci-failed.retries";
                           });
  ASSERT_NE(note, outcome.notes.end());
  EXPECT_EQ(note->text,
            "counts as 5, the most that escalation.selfHeal allows");

  auto few = read("escalation: {selfHeal: {attempts: 4}}\n"
                  "reactions: {ci-failed: {retries: 2}}\n"
                  "projects:\n"
                  "  a: {path: /p/a}\n"
                  "  b: {path: /p/b, reactions: {ci-failed: {retries: 0}}}\n");
  ASSERT_TRUE(few.value) << report(few);
  const auto& projects = few.value->projects;
  EXPECT_EQ(tries_of_ci(*few.value, projects.at(project_id{"a"})), 2u);
  EXPECT_EQ(tries_of_ci(*few.value, projects.at(project_id{"b"})), 0u);
}

TEST(OriginalConfig, MayBeFlatInsideItsRepository) {
  auto outcome = read("repo: me/my-app\n"
                      "defaultBranch: develop\n"
                      "agent: aider\n"
                      "scm: {plugin: local}\n"
                      "agentRules: Be careful.\n"
                      "reactions: {ci-failed: {retries: 1}}\n",
                      {}, "/src/my-app/agent-orchestrator.yaml");
  ASSERT_TRUE(outcome.value) << report(outcome);
  ASSERT_EQ(outcome.value->projects.size(), 1u);
  const auto& p = outcome.value->projects.at(project_id{"my-app"});
  EXPECT_EQ(p.path, "/src/my-app");
  EXPECT_EQ(p.session_prefix, "ma");
  EXPECT_EQ(p.default_branch, "develop");
  EXPECT_EQ(agent_of(*outcome.value, p), "aider");
  EXPECT_EQ(tries_of_ci(*outcome.value, p), 1u);
  EXPECT_EQ(shown(outcome, "projects.my-app.path"), "/src/my-app <- derived");
}

TEST(OriginalConfig, FlatErrorsNameTheKeysAsWritten) {
  auto outcome = read("agent: codx\ndefaultBrunch: x\nmerge: {auto: on}\n", {},
                      "/src/my-app/agent-orchestrator.yaml");
  EXPECT_EQ(report(outcome),
            "agent-orchestrator.yaml:1:8: agent: \"codx\" is no agent, "
            "expected aider, claude-code, codex, cursor, gemini or opencode; "
            "did you mean \"codex\"?\n"
            "agent-orchestrator.yaml:2:1: defaultBrunch: unknown key, "
            "expected a key of projects.*; did you mean \"defaultBranch\"?\n"
            "agent-orchestrator.yaml:3:15: merge.auto: \"on\" is not a "
            "boolean, expected true or false");
}
