// A login that is lost stops its account and nothing else, and heals by itself.

#include "tests/support/agent_programs.hpp"
#include "tests/support/agent_scripts.hpp"
#include "tests/support/fake_model.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <fstream>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

/// Sessions of the account that is lost.
constexpr int crowd = 20;

/// Works as long as it can read its login; done when told to go.
std::string worker(const std::string& login) {
  return "while cat '" + login
    + "' > /dev/null 2>&1; do\n"
      "  [ ! -e \"$HOME/go\" ] || exit 0\n"
      "  sleep 0.2\n"
      "done\n"
      "echo 'unexpected status 401 Unauthorized'\n"
      "exit 1\n";
}

std::string session(int n) {
  return "app-" + std::to_string(n);
}

class Login : public testing::Test {
protected:
  void SetUp() override {
    if (auto why = why_not_unprivileged(); !why.empty())
      GTEST_SKIP() << "root reads everything, and " << why;
    world_options options;
    options.unprivileged = true;
    w.emplace(options);
  }

  fs::path login(const std::string& account) const {
    return w->user() / ("login-" + account);
  }

  void add_account(const std::string& account) {
    std::ofstream{login(account)} << "a secret";
    fs::permissions(login(account), fs::perms::owner_read);
    auto file = login(account).string();
    w->add_agent("agent-" + account, worker(file),
                 ", account: " + account + ", probe: [cat, " + file + "]");
  }

  void lock(const std::string& account) {
    fs::permissions(login(account), fs::perms::none);
  }

  void repair(const std::string& account) {
    fs::permissions(login(account), fs::perms::owner_read);
  }

  /// `count` sessions of the first account, then one of the other.
  void begin(int count) {
    add_account("a");
    add_account("b");
    w->start();
    std::vector<std::string> words{"batch-spawn"};
    for (int i = 1; i <= count; ++i)
      words.push_back(w->add_task("Task " + std::to_string(i)));
    ASSERT_EQ(w->ao(words).status.code, 0);
    ASSERT_EQ(
      w->ao({"spawn", "--prompt", "Other", "--agent", "agent-b"}).status.code,
      0);
    for (int i = 1; i <= count + 1; ++i)
      w->await("agent_started", "session:" + session(i));
  }

  json row(int n) { return w->ask({"session", "show", session(n)}); }

  std::size_t count(const std::string& kind) const {
    std::size_t out = 0;
    for (const auto& e : w->events())
      out += e["kind"] == kind;
    return out;
  }

  /// The sessions that have come to `status`.
  int in_status(const std::string& status) {
    int out = 0;
    auto all = w->ask({"status"})["data"];
    for (const auto& s : all)
      out += s["status"] == status;
    return out;
  }

  /// Waits until each of the first sessions is at its second run.
  void await_return(int count) {
    for (int i = 1; i <= count; ++i)
      w->await([i](const json& e) {
        return e["kind"] == "agent_started"
          && e["subject"] == "session:" + session(i)
          && e["data"].value("run", 0) > 1;
      });
  }

  std::optional<world> w;
};

} // namespace

TEST_F(Login, MadeUnreadableStopsItsAccountAloneAndHealsByItself) {
  begin(crowd);
  lock("a");
  for (int i = 1; i <= crowd; ++i)
    w->await("agent_exited", "session:" + session(i));
  w->await("incident_asked", "incident:inc-1");
  w->await([](const json& e) {
    return e["kind"] == "incident_joined"
      && e["data"].value("count", 0) == crowd;
  });
  EXPECT_EQ(in_status("auth_blocked"), crowd);
  EXPECT_EQ(row(crowd + 1)["status"], "working");

  auto incidents = w->ask({"incident", "ls"})["data"];
  ASSERT_EQ(incidents.size(), 1u);
  EXPECT_EQ(incidents[0]["cause"], "auth");
  EXPECT_EQ(incidents[0]["count"], crowd);
  EXPECT_THAT(incidents[0]["text"].get<std::string>(),
              HasSubstr("Permission denied"));
  EXPECT_THAT(row(1)["summary"].get<std::string>(),
              HasSubstr("agent-a@a is not logged in"));

  auto waiting = w->add_task("Waits");
  auto refused = w->ao({"spawn", waiting});
  EXPECT_EQ(refused.status.code, 6) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("agent_not_ready"));
  auto task = w->ask({"task", "show", waiting});
  EXPECT_EQ(task["state"], "ready");
  EXPECT_THAT(task["why"].get<std::string>(),
              HasSubstr("agent-a@a is not logged in"));
  EXPECT_THAT(w->ao({"why", waiting}).out, HasSubstr("is not logged in"));
  EXPECT_EQ(
    w->ao({"spawn", "--prompt", "More", "--agent", "agent-b"}).status.code, 0);

  repair("a");
  w->await("breaker_closed", "hub");
  await_return(crowd);
  w->await("incident_closed", "incident:inc-1");
  for (int i = 1; i <= crowd; ++i) {
    auto s = row(i);
    EXPECT_EQ(s["restarts"], 0) << session(i);
    EXPECT_EQ(s["status"], "working") << session(i);
    EXPECT_EQ(s["run"], 2) << session(i);
    EXPECT_EQ(s["epoch"], 1) << "its claim was kept";
  }
  EXPECT_EQ(row(crowd + 1)["run"], 1);
  EXPECT_EQ(count("incident_asked"), 1u);
  EXPECT_EQ(count("breaker_opened"), 1u);
  EXPECT_EQ(count("session_parked"), 0u);
  EXPECT_EQ(w->ao({"spawn", waiting}).status.code, 0);
}

TEST_F(Login, IsFoundLostAgainByTheNextHub) {
  begin(2);
  lock("a");
  w->await("incident_asked", "incident:inc-1");
  for (int i : {1, 2})
    w->await("agent_exited", "session:" + session(i));
  w->kill_hub();
  w->start();
  EXPECT_EQ(in_status("auth_blocked"), 2);
  repair("a");
  await_return(2);
  w->await("incident_closed", "incident:inc-1");
  EXPECT_EQ(count("incident_asked"), 1u);
  EXPECT_EQ(row(1)["restarts"], 0);
}

TEST_F(Login, RepairedWorksForWhoeverAsksNext) {
  add_account("a");
  w->start();
  auto t = w->add_task("First");
  lock("a");
  EXPECT_EQ(w->ao({"spawn", t}).status.code, 6);
  w->await("breaker_opened", "hub");
  // Repaired before the breaker itself has asked, one would be tried first.
  w->await("incident_asked", "incident:inc-1");
  repair("a");
  auto end = w->ao({"spawn", t});
  EXPECT_EQ(end.status.code, 0) << end.err;
  w->await("agent_started", "session:app-1");
  EXPECT_TRUE(w->ask({"task", "show", t})["why"].is_null());
}

TEST_F(Login, OfTheRealCodexIsHeldAndItsConversationsGoOn) {
  auto programs = find_agent_programs();
  if (!programs.has("codex"))
    GTEST_SKIP() << "codex " << programs.missing;
  fake_model model;
  w->set_variable("PATH",
                  programs.directory.string() + ":"
                    + environment::inherited().get("PATH"));
  auto home = w->user() / ".codex";
  fs::create_directory(home);
  std::ofstream{home / "config.toml"}
    << "model = \"gpt-5\"\nmodel_provider = \"loop\"\n"
    << "[model_providers.loop]\nname = \"loop\"\nbase_url = \"" << model.url()
    << "/v1\"\nwire_api = \"responses\"\nrequest_max_retries = 0\n"
    << "stream_max_retries = 0\nrequires_openai_auth = true\n";
  auto file = home / "auth.json";
  std::ofstream{file} << R"({"auth_mode":"apikey","OPENAI_API_KEY":"sk-loop"})";
  fs::permissions(file, fs::perms::owner_read);
  add_account("b");
  w->start();
  for (int i : {1, 2}) {
    auto end = w->ao({"spawn", "--prompt", "Begin", "--agent", "codex"});
    ASSERT_EQ(end.status.code, 0) << end.err;
    w->await([i](const json& e) {
      return e["subject"] == "session:" + session(i)
        && e["data"].value("activity", "") == "idle";
    });
  }
  ASSERT_EQ(w->ao({"spawn", "--prompt", "Other"}).status.code, 0);
  std::vector<std::string> talks;
  for (int i : {1, 2})
    talks.push_back(row(i)["conversation"]);

  fs::permissions(file, fs::perms::none);
  model.refuse_keys(true);
  for (int i : {1, 2})
    EXPECT_EQ(w->ao({"send", session(i), "Go on"}).status.code, 0);
  for (int i : {1, 2})
    w->await([i](const json& e) {
      return e["subject"] == "session:" + session(i)
        && e["data"].value("failure", "") == "auth";
    });
  w->await("incident_asked", "incident:inc-1");
  EXPECT_EQ(in_status("auth_blocked"), 2);
  EXPECT_EQ(row(3)["status"], "working");

  fs::permissions(file, fs::perms::owner_read);
  model.refuse_keys(false);
  await_return(2);
  w->await("incident_closed", "incident:inc-1");
  for (int i : {1, 2}) {
    auto s = row(i);
    EXPECT_EQ(s["restarts"], 0);
    EXPECT_EQ(s["conversation"], talks[static_cast<std::size_t>(i - 1)]);
  }
  EXPECT_EQ(row(3)["run"], 1);
  EXPECT_EQ(count("incident_asked"), 1u);
}
