#include "tests/support/agent_scripts.hpp"
#include "tests/support/fake_gateway.hpp"
#include "tests/support/fake_telegram.hpp"
#include "tests/support/seen_processes.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace fs = std::filesystem;

namespace {

/// One for each place that may hold a secret.
const std::string gateway_token = "canary-of-the-gateway-5f1e";
const std::string bot_token = "424242:canary-of-the-bot-77aa-0123456789abcdef";
const std::string signing_key = "whsec_Y2FuYXJ5LW9mLXRoZS1zaWduYXR1cmU=";
const std::string hooks_token = "canary-of-the-hooks-9b9b";
const std::string agent_key = "canary-of-the-agents-account-31d3";

const std::string forge_token = "canary-of-the-forge-e07c";

/// Those that are made by the hub come later.
std::set<std::string> canaries{gateway_token, bot_token, signing_key,
                               hooks_token,   agent_key, forge_token};

/// Everything below `dir` that holds one of them, with which.
std::vector<std::string> found_below(const fs::path& dir,
                                     const std::set<fs::path>& left_out) {
  std::vector<std::string> found;
  fs::recursive_directory_iterator i{dir}, end;
  for (; i != end; ++i) {
    if (left_out.count(i->path()) != 0) {
      i.disable_recursion_pending();
      continue;
    }
    if (!i->is_regular_file())
      continue;
    std::ifstream in{i->path(), std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    for (const auto& one : canaries)
      if (text.find(one) != std::string::npos)
        found.push_back(i->path().string() + ": " + one);
  }
  return found;
}

/// The hub itself has been given the secrets.
bool is_hub(const seen_process& p) {
  auto program = p.arguments.substr(0, p.arguments.find('\0'));
  return fs::path{program}.filename() == "ao-hub";
}

/// A line `name=...` of a file, without the name.
std::string variable_in(const std::string& text, const std::string& name) {
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);)
    if (line.compare(0, name.size() + 1, name + "=") == 0)
      return line.substr(name.size() + 1);
  return {};
}

TEST(Canary, OfNoTokenIsSeenWhereItDoesNotBelong) {
  fake_gateway gateway{{2, gateway_token}};
  fake_telegram telegram{bot_token};
  world_options o;
  o.settings
    += "escalation: {selfHeal: {attempts: 1}, mediation: {rounds: 0}}\n"
       "notifiers:\n"
       "  phone: {plugin: openclaw, url: \""
    + gateway.url()
    + "\", token: \"${GATEWAY_TOKEN}\"}\n"
      "  bot: {plugin: telegram, to: \"42\", token: \"${BOT_TOKEN}\", apiRoot: "
      "\""
    + telegram.url()
    + "\"}\n"
      "  hook: {plugin: webhook, url: \""
    + gateway.url()
    + "\", secret: \"${SIGNING_KEY}\"}\n"
      "api: {listen: \"127.0.0.1:0\"}\n"
      "notificationRouting: {urgent: [phone, bot, hook], "
      "action: [phone, bot, hook]}\n";
  // What knows the secrets prints them: a person's shell, a careless check.
  o.project = ", ci: {command: [sh, -c, \"! test -e work || "
              "{ cat $HOME/secrets; exit 1; }\"]}";
  world w{o};
  for (const auto& [name, value] : {std::pair{"GATEWAY_TOKEN", gateway_token},
                                    {"BOT_TOKEN", bot_token},
                                    {"SIGNING_KEY", signing_key},
                                    {"OPENCLAW_HOOKS_TOKEN", hooks_token},
                                    {"GITHUB_TOKEN", forge_token},
                                    {"FORGE_TOKEN", forge_token},
                                    {"AGENT_KEY", agent_key}})
    w.set_variable(name, value);
  w.add_agent("careless", R"(
env > "$HOME/env.$AO_RUN"
cp "$AO_PROMPT_FILE" "$HOME/prompt.$AO_RUN"
echo "$AO_RUN" > work
git add --all
git commit --quiet --message "Run $AO_RUN"
)",
              ", env: {OWN_API_KEY: \"${AGENT_KEY}\"}");
  // One that stays, to be looked at.
  w.add_agent("patient", scripts::sleeper);
  w.start();
  auto api_token = content_of(w.home() / "api.token");
  api_token.erase(api_token.find_last_not_of('\n') + 1);
  ASSERT_GT(api_token.size(), 20u);
  canaries.insert(api_token);
  {
    std::ofstream secrets{w.user() / "secrets"};
    for (const auto& one : canaries)
      secrets << "token=" << one << "\n";
  }
  w.ask({"spawn", "--agent", "patient", "--prompt", "Wait"});
  w.ask({"spawn", w.add_task("First")});
  w.await("incident_asked", "incident:inc-1");
  ASSERT_TRUE(gateway.await([](const auto& read) { return !read.empty(); }));
  ASSERT_TRUE(telegram.await([&] { return !telegram.messages().empty(); }));
  // It says more than the secret: the lines are there without it.
  EXPECT_THAT(content_of(w.user() / "prompt.2"), HasSubstr("token="));

  for (const auto& one : canaries) {
    for (const auto* file : {"prompt.1", "prompt.2"})
      EXPECT_THAT(content_of(w.user() / file), Not(HasSubstr(one))) << file;
    for (const auto& text : gateway.read_by_person())
      EXPECT_THAT(text, Not(HasSubstr(one)));
    for (const auto& m : telegram.messages())
      EXPECT_THAT(m.text, Not(HasSubstr(one)));
    for (const auto& e : w.events())
      EXPECT_THAT(e.dump(), Not(HasSubstr(one)));
    for (const auto& p : processes_of(w.root())) {
      EXPECT_THAT(p.arguments, Not(HasSubstr(one)));
      if (!is_hub(p) && one != agent_key) {
        EXPECT_THAT(p.variables, Not(HasSubstr(one))) << p.arguments;
      }
    }
    for (const auto* words : {"status", "config show", "incident show inc-1",
                              "notify ls", "why T2", "doctor"}) {
      std::istringstream split{words};
      std::vector<std::string> all{std::istream_iterator<std::string>{split},
                                   {}};
      EXPECT_THAT(w.ao(all).out, Not(HasSubstr(one))) << words;
    }
    auto own = one == agent_key;
    EXPECT_EQ(content_of(w.user() / "env.1").find(one) != std::string::npos,
              own)
      << one;
  }
  // An agent's token is its own: in its environment, and in the order that
  // starts it.
  auto own_token = variable_in(content_of(w.user() / "env.1"), "AO_TOKEN");
  ASSERT_FALSE(own_token.empty());
  for (const auto& p : processes_of(w.root()))
    EXPECT_THAT(p.arguments, Not(HasSubstr(own_token)));
  for (const auto& e : w.events())
    EXPECT_THAT(e.dump(), Not(HasSubstr(own_token)));
  for (const auto* file : {"prompt.1", "prompt.2"})
    EXPECT_THAT(content_of(w.user() / file), Not(HasSubstr(own_token)));
  canaries.insert(own_token);
  w.ao({"stop"});
  // Left out: what a check has printed is kept as it was printed, for its
  // owner alone; the agent's own key stands in the order to start it.
  auto found = found_below(w.home(),
                           {w.home() / "ci", w.home() / "api.token",
                            w.home() / "sessions/app-2/launch.json"});
  EXPECT_THAT(found, IsEmpty());
}

} // namespace
