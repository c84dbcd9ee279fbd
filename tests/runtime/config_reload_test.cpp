#include "runtime/config/live_settings.hpp"
#include "runtime/config/reload.hpp"
#include "tests/support/config_reading.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

using namespace ao;
using namespace ao::test;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

const std::string base = "projects:\n"
                         "  app: {path: /src/app, sessionPrefix: app}\n";

/// What a hub that runs `before` makes of `after`.
reload_plan reload(const std::string& before, const std::string& after,
                   const std::map<std::string, std::string>& vars = {}) {
  auto running = read(before, vars);
  auto next = read(after, vars);
  EXPECT_EQ(report(running), "");
  EXPECT_EQ(report(next), "");
  return plan_reload(*running.value, running.shown, next);
}

/// `key: before -> after (effect)`, one of each change.
std::vector<std::string> told(const reload_plan& plan) {
  std::vector<std::string> out;
  for (const auto& c : plan.changed)
    out.push_back(c.key + ": " + c.before.value_or("-") + " -> "
                  + c.after.value_or("-") + " ("
                  + std::string{to_string(c.effect)} + ")");
  return out;
}

TEST(ConfigReload, TellsNothingOfTheSameFile) {
  EXPECT_THAT(told(reload(base, base)), IsEmpty());
  // Only the lines have moved, and a default is written.
  EXPECT_THAT(told(reload(base, "\nlimits: {sessions: 15}\n" + base)),
              IsEmpty());
}

TEST(ConfigReload, TellsEachChangedKeyWithWhenItCounts) {
  auto plan = reload("limits: {sessions: 3}\n" + base,
                     "limits: {sessions: 4}\n"
                     "keep: {events: 30d}\n"
                     "projects:\n"
                     "  app: {path: /src/app, sessionPrefix: app, "
                     "branch: \"work/{session}\", ci: {command: [make]}}\n");
  EXPECT_THAT(told(plan),
              ElementsAre("limits.sessions: 3 -> 4 (now)",
                          "projects.app.ci.command: - -> [make] (restart)",
                          "projects.app.ci.timeout: - -> 30m (now)",
                          "projects.app.ci.rerun: - -> false (now)",
                          "projects.app.branch: ao/{session} -> work/{session} "
                          "(next_session)",
                          "keep.events: 90d -> 30d (now)"));
  EXPECT_EQ(plan.next.limits.sessions, 4u);
  const auto& app = plan.next.projects.at(project_id{"app"});
  EXPECT_EQ(app.branch, "work/{session}");
  EXPECT_FALSE(app.ci);
}

TEST(ConfigReload, TellsASecretThatChangedWithoutSayingIt) {
  auto with_token = [](const std::string& token) {
    return "notifiers: {me: {plugin: telegram, to: \"1\", token: \"" + token
      + "\"}}\n" + base;
  };
  auto plan = reload(with_token("1:aaa"), with_token("1:bbb"));
  EXPECT_THAT(told(plan), ElementsAre("notifiers.me.token: *** -> *** (now)"));
  EXPECT_THAT(notifiers_in(plan.changed), ElementsAre("me"));
  EXPECT_EQ(plan.next.notifiers.at("me").token, "1:bbb");
}

TEST(ConfigReload, TellsOfEntriesThatAreNewOrGoneOnce) {
  auto plan
    = reload("agents:\n  old: {adapter: command, command: [/a]}\n"
             "notifiers: {gone: {plugin: desktop}}\n"
               + base,
             "agents:\n  new: {adapter: command, command: [/b]}\n"
             "notifiers: {here: {plugin: desktop}}\n"
               + base + "  web: {path: /src/web, sessionPrefix: web}\n");
  EXPECT_THAT(told(plan),
              ElementsAre("agents.new: - -> present (next_session)",
                          "projects.web: - -> present (restart)",
                          "notifiers.here: - -> present (now)",
                          "agents.old: present -> - (next_session)",
                          "notifiers.gone: present -> - (now)"));
  EXPECT_THAT(notifiers_in(plan.changed), ElementsAre("gone", "here"));
  EXPECT_EQ(plan.next.projects.count(project_id{"web"}), 0u);
  EXPECT_EQ(plan.next.notifiers.count("gone"), 0u);
  EXPECT_EQ(plan.next.agents.count("new"), 1u);
}

TEST(ConfigReload, KeepsAProjectThatIsGoneUntilTheRestart) {
  auto two = base + "  web: {path: /src/web, sessionPrefix: web}\n";
  auto plan = reload(two, base);
  EXPECT_THAT(told(plan), ElementsAre("projects.web: present -> - (restart)"));
  EXPECT_EQ(plan.next.projects.at(project_id{"web"}).path, "/src/web");
}

TEST(ConfigReload, TellsWhatWaitsForTheRestartAgain) {
  auto running = read(base);
  auto next
    = read("api: {listen: \"127.0.0.1:7421\"}\nlimits: {sessions: 2}\n" + base);
  auto first = plan_reload(*running.value, running.shown, next);
  EXPECT_THAT(told(first),
              ElementsAre("limits.sessions: 15 -> 2 (now)",
                          "api.listen: - -> 127.0.0.1:7421 (restart)"));
  EXPECT_FALSE(first.next.api.listen);
  auto second = plan_reload(first.next, first.shown, next);
  EXPECT_THAT(told(second),
              ElementsAre("api.listen: - -> 127.0.0.1:7421 (restart)"));
  // And back: nothing is left to tell.
  auto third = plan_reload(second.next, second.shown,
                           read("limits: {sessions: 2}\n" + base));
  EXPECT_THAT(told(third), IsEmpty());
}

/// One more key of each row that takes effect at a restart, and what the
/// project is without it.
TEST(ConfigReload, KeepsEveryKeyThatCountsFromTheRestart) {
  auto of_project = [](const std::string& members) {
    return "projects:\n  app: {path: /src/app, sessionPrefix: app" + members
      + "}\n";
  };
  const std::map<std::string, std::pair<std::string, std::string>> written = {
    {"projects.*.path",
     {base, "projects:\n  app: {path: /src/other, sessionPrefix: app}\n"}},
    {"projects.*.repo", {base, of_project(", repo: a/b")}},
    {"projects.*.defaultBranch", {base, of_project(", defaultBranch: dev")}},
    {"projects.*.duplicates", {base, of_project(", duplicates: off")}},
    {"projects.*.forge.plugin", {base, base}},
    {"projects.*.forge.publish", {base, of_project(", forge: {publish: up}")}},
    {"projects.*.forge.apiUrl",
     {base, of_project(", forge: {apiUrl: \"https://forge.example\"}")}},
    {"projects.*.forge.tokenEnv",
     {base, of_project(", forge: {tokenEnv: OTHER}")}},
    {"projects.*.ci.command",
     {of_project(", ci: {command: [a]}"), of_project(", ci: {command: [b]}")}},
    {"cluster.listen", {base, base + "cluster: {listen: \"127.0.0.1:1\"}\n"}},
    {"cluster.link", {base, base + "cluster: {link: \"127.0.0.1:3\"}\n"}},
    {"cluster.heartbeat", {base, base + "cluster: {heartbeat: 2s}\n"}},
    {"cluster.suspectAfter", {base, base + "cluster: {suspectAfter: 4s}\n"}},
    {"cluster.lostAfter", {base, base + "cluster: {lostAfter: 9s}\n"}},
    {"cluster.lease", {base, base + "cluster: {lease: 11s}\n"}},
    {"cluster.certificateLife",
     {base, base + "cluster: {certificateLife: 80d}\n"}},
    {"api.listen", {base, base + "api: {listen: \"127.0.0.1:2\"}\n"}}};
  std::set<std::string> rows;
  for (const auto& row : config_keys().rows())
    if (row.effect == takes_effect::restart)
      rows.insert(row.pattern);
  std::set<std::string> tried;
  for (const auto& [pattern, texts] : written) {
    SCOPED_TRACE(pattern);
    tried.insert(pattern);
    auto plan = reload(texts.first, texts.second);
    // Written once more, what was kept is what the first file says.
    auto kept = read(texts.first);
    auto shown_now = plan.shown;
    std::sort(shown_now.begin(), shown_now.end(),
              [](const auto& a, const auto& b) { return a.key < b.key; });
    std::sort(kept.shown.begin(), kept.shown.end(),
              [](const auto& a, const auto& b) { return a.key < b.key; });
    ASSERT_EQ(shown_now.size(), kept.shown.size());
    for (std::size_t i = 0; i < kept.shown.size(); ++i)
      EXPECT_EQ(shown_now[i].value, kept.shown[i].value) << shown_now[i].key;
    const auto& before = *kept.value;
    const auto& after = plan.next;
    EXPECT_EQ(after.api.listen, before.api.listen);
    EXPECT_EQ(after.cluster.listen, before.cluster.listen);
    EXPECT_EQ(after.cluster.link, before.cluster.link);
    EXPECT_EQ(after.cluster.heartbeat, before.cluster.heartbeat);
    EXPECT_EQ(after.cluster.suspect_after, before.cluster.suspect_after);
    EXPECT_EQ(after.cluster.lost_after, before.cluster.lost_after);
    EXPECT_EQ(after.cluster.lease, before.cluster.lease);
    EXPECT_EQ(after.cluster.certificate_life, before.cluster.certificate_life);
    const auto& p = after.projects.at(project_id{"app"});
    const auto& old = before.projects.at(project_id{"app"});
    EXPECT_EQ(p.path, old.path);
    EXPECT_EQ(p.repo, old.repo);
    EXPECT_EQ(p.default_branch, old.default_branch);
    EXPECT_EQ(p.duplicates, old.duplicates);
    EXPECT_EQ(p.forge.plugin, old.forge.plugin);
    EXPECT_EQ(p.forge.publish, old.forge.publish);
    EXPECT_EQ(p.forge.api_url, old.forge.api_url);
    EXPECT_EQ(p.forge.token_env, old.forge.token_env);
    EXPECT_EQ(p.ci.has_value(), old.ci.has_value());
    if (p.ci && old.ci) {
      EXPECT_EQ(p.ci->command, old.ci->command);
    }
  }
  EXPECT_EQ(tried, rows);
}

TEST(ConfigReload, ChangesTheTimeoutOfChecksAtOnce) {
  auto with_ci = [](const std::string& ci) {
    return "projects:\n  app: {path: /src/app, sessionPrefix: app, ci: {" + ci
      + "}}\n";
  };
  auto plan = reload(with_ci("command: [a], timeout: 1m"),
                     with_ci("command: [b], timeout: 2m"));
  const auto& ci = plan.next.projects.at(project_id{"app"}).ci;
  EXPECT_EQ(ci->timeout, std::chrono::minutes{2});
  EXPECT_THAT(ci->command, ElementsAre("a"));
}

TEST(LiveSettings, AllHandlesSeeTheNewOneAndOldReferencesStay) {
  auto first = std::make_shared<settings>(default_settings_of_all());
  first->limits.sessions = 3;
  live_settings config{first};
  auto other = config;
  const auto& old = *other;
  auto next = std::make_shared<settings>(*first);
  next->limits.sessions = 4;
  first.reset();
  config.replace(next);
  EXPECT_EQ(other->limits.sessions, 4u);
  EXPECT_EQ(old.limits.sessions, 3u);
}

} // namespace
