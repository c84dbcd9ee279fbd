#include "runtime/process/process.hpp"
#include "tests/support/config_reading.hpp"
#include "tests/support/fake_gateway.hpp"
#include "tests/support/places.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

using namespace ao;
using nlohmann::json;
using test::content_of;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

namespace {

namespace fs = std::filesystem;

mode_t mode_of(const fs::path& file) {
  struct stat there {};
  EXPECT_EQ(::stat(file.c_str(), &there), 0) << file;
  return there.st_mode & 0777;
}

/// A user with a configuration, and a gateway on this host.
class SetupOpenclaw : public testing::Test {
protected:
  SetupOpenclaw() {
    char name[] = "/tmp/ao-setup-XXXXXX";
    root_ = ::mkdtemp(name);
    fs::create_directories(root_ / ".openclaw");
    set("HOME", root_.string());
    set("AO_HOME", (root_ / "ao").string());
    set("AO_CONFIG_PATH", config().string());
    for (const auto* gone : {"OPENCLAW_HOOKS_TOKEN", "AO_SOCKET", "AO_TOKEN"})
      set(gone, {});
    write(config(), "# mine\nprojects: {app: {path: /a}} # here\n");
  }
  ~SetupOpenclaw() override {
    for (const auto& [name, before] : before_)
      put(name, before);
    fs::remove_all(root_);
  }

  /// Sets a variable until the end of the test; empty = unset.
  void set(const std::string& name, const std::string& value) {
    const auto* now = std::getenv(name.c_str());
    before_.emplace(name, now ? std::optional<std::string>{now} : std::nullopt);
    put(name, value.empty() ? std::nullopt : std::optional{value});
  }

  static void put(const std::string& name,
                  const std::optional<std::string>& value) {
    if (value)
      ::setenv(name.c_str(), value->c_str(), 1);
    else
      ::unsetenv(name.c_str());
  }

  static void write(const fs::path& file, const std::string& text) {
    std::ofstream{file} << text;
  }

  fs::path config() const { return root_ / "ao.yaml"; }
  fs::path gateways() const { return root_ / ".openclaw/openclaw.json"; }

  /// `ao setup openclaw --non-interactive …`; its exit code.
  int run(std::vector<std::string> more = {}) {
    std::vector<std::string> words
      = {"ao", "setup", "openclaw", "--non-interactive"};
    words.insert(words.end(), more.begin(), more.end());
    return run_words(words);
  }

  int run_words(const std::vector<std::string>& words) {
    process_spec spec;
    spec.argv = words;
    spec.argv[0] = program_path("ao");
    for (auto** one = environ; one && *one; ++one)
      spec.env.emplace_back(*one);
    auto end = ao::run(std::move(spec), std::chrono::seconds{60});
    if (!end) {
      ADD_FAILURE() << end.error().context;
      return -1;
    }
    out_ = end->out;
    err_ = end->err;
    return end->status.code.value_or(-1);
  }

  /// The same with `--json`: its document.
  json ask(std::vector<std::string> more = {}) {
    more.emplace_back("--json");
    EXPECT_EQ(run(std::move(more)), 0) << err_;
    return json::parse(out_, nullptr, false);
  }

  void expect_unchanged() {
    EXPECT_EQ(content_of(config()),
              "# mine\nprojects: {app: {path: /a}} # here\n");
    EXPECT_FALSE(fs::exists(config().string() + ".bak"));
  }

  fs::path root_;
  std::map<std::string, std::optional<std::string>> before_;
  std::string out_;
  std::string err_;
  fake_gateway gateway_;
};

} // namespace

TEST_F(SetupOpenclaw, TakesTheTokenThatTheGatewayHas) {
  write(gateways(), R"({"hooks": {"enabled": true, "token": "hook-token"}})");
  auto before = content_of(gateways());
  auto said = ask({"--url", gateway_.url()});
  EXPECT_EQ(said["ready"], true) << said;
  EXPECT_EQ(said["tokenFrom"], "gateway");
  EXPECT_EQ(said["changed"], json::array({config().string()}));
  EXPECT_EQ(content_of(gateways()), before);
  EXPECT_THAT(content_of(config()),
              AllOf(HasSubstr("# mine\n"), HasSubstr(" # here\n"),
                    HasSubstr("url: " + gateway_.url()),
                    Not(HasSubstr("token"))));
  EXPECT_EQ(content_of(config().string() + ".bak"),
            "# mine\nprojects: {app: {path: /a}} # here\n");
  // No run was begun, and no key asked for.
  ASSERT_EQ(gateway_.requests().size(), 1u);
  EXPECT_EQ(gateway_.requests()[0].body, "{}");
}

TEST_F(SetupOpenclaw, ChangesNothingTheSecondTime) {
  auto first = ask({"--url", gateway_.url(), "--token", "hook-token"});
  EXPECT_EQ(first["changed"].size(), 2u);
  auto config_text = content_of(config());
  auto gateway_text = content_of(gateways());
  auto second = ask();
  EXPECT_EQ(second["ready"], true);
  EXPECT_EQ(second["changed"], json::array());
  EXPECT_EQ(second["url"], gateway_.url());
  EXPECT_EQ(content_of(config()), config_text);
  EXPECT_EQ(content_of(gateways()), gateway_text);
}

TEST_F(SetupOpenclaw, SwitchesTheHooksOnWithANewToken) {
  write(gateways(),
        R"({"agents": {"list": [1]}, "hooks": {"path": "/hooks"}})");
  ::chmod(gateways().c_str(), 0644);
  auto said = ask({"--url", gateway_.url()});
  EXPECT_EQ(said["tokenFrom"], "generated");
  // The one that runs has another until it is restarted.
  EXPECT_EQ(said["ready"], false);
  EXPECT_EQ(said["probe"]["state"], "wrong_token");
  EXPECT_THAT(said["next"].dump(), HasSubstr("openclaw gateway restart"));
  auto now = json::parse(content_of(gateways()));
  EXPECT_EQ(now["hooks"]["enabled"], true);
  auto token = now["hooks"]["token"].get<std::string>();
  EXPECT_EQ(token.size(), 43u);
  EXPECT_FALSE(now["hooks"].contains("allowRequestSessionKey"));
  EXPECT_EQ(now["agents"]["list"], json::array({1}));
  EXPECT_EQ(mode_of(gateways()), 0600u);
  EXPECT_EQ(json::parse(content_of(gateways().string() + ".bak"))["hooks"],
            json({{"path", "/hooks"}}));
  // It is in that file and nowhere else.
  for (const auto& text : {out_, err_, content_of(config())})
    EXPECT_THAT(text, Not(HasSubstr(token)));
  gateway_setup restarted;
  restarted.token = token;
  gateway_.restart(restarted);
  EXPECT_EQ(ask()["ready"], true);
}

TEST_F(SetupOpenclaw, KeepsATokenUnlessToldOtherwise) {
  write(gateways(), R"({"hooks": {"enabled": true, "token": "kept"}})");
  set("OPENCLAW_HOOKS_TOKEN", "hook-token");
  auto said = ask({"--url", gateway_.url()});
  EXPECT_EQ(said["tokenFrom"], "environment");
  EXPECT_THAT(content_of(gateways()), HasSubstr("\"kept\""));
  EXPECT_THAT(content_of(config()),
              HasSubstr("token: \"${OPENCLAW_HOOKS_TOKEN}\""));
  EXPECT_THAT(said["notes"].dump(), HasSubstr("was left as it is"));
  said = ask({"--token", "told", "--url", gateway_.url()});
  EXPECT_EQ(said["tokenFrom"], "flag");
  EXPECT_EQ(json::parse(content_of(gateways()))["hooks"]["token"], "told");
  EXPECT_THAT(content_of(config()), Not(HasSubstr("token:")));
  EXPECT_THAT(said["notes"].dump(), HasSubstr("unset it"));
}

TEST_F(SetupOpenclaw, FailsWhenTheGatewayRefusesForNoKnownReason) {
  write(gateways(), R"({"hooks": {"enabled": true, "token": "old"}})");
  EXPECT_EQ(run({"--url", gateway_.url()}), 1);
  EXPECT_THAT(
    err_, AllOf(HasSubstr("does not take the token"), HasSubstr("--token")));
  EXPECT_THAT(err_ + out_, Not(HasSubstr("old ")));
  EXPECT_EQ(run({"--url", gateway_.url() + "/else"}), 1);
  EXPECT_THAT(err_, HasSubstr("404"));
  EXPECT_EQ(run({"--url", gateway_.url(), "--json"}), 1);
  EXPECT_EQ(json::parse(out_)["probe"], "wrong_token");
}

TEST_F(SetupOpenclaw, MayComeBeforeTheGatewayRuns) {
  std::string url;
  {
    fake_gateway gone;
    url = gone.url();
  }
  auto said = ask({"--url", url});
  EXPECT_EQ(said["probe"]["state"], "not_running");
  EXPECT_THAT(said["next"].dump(), HasSubstr("restart the gateway"));
  EXPECT_EQ(mode_of(gateways()), 0600u);
}

TEST_F(SetupOpenclaw, LeavesAFileWithCommentsToAPerson) {
  std::string mine = "{\n  // mine\n  \"hooks\": {\"enabled\": false}\n}\n";
  write(gateways(), mine);
  EXPECT_EQ(run({"--url", gateway_.url()}), 2);
  EXPECT_THAT(
    err_,
    AllOf(HasSubstr("not plain JSON"), HasSubstr("hooks: {enabled: true")));
  expect_unchanged();
  auto said = ask({"--url", gateway_.url(), "--token", "hook-token"});
  EXPECT_EQ(content_of(gateways()), mine);
  EXPECT_THAT(
    said["next"].dump(),
    AllOf(HasSubstr("hooks: {enabled: true"), Not(HasSubstr("hook-token"))));
  EXPECT_THAT(content_of(config()),
              HasSubstr("token: \"${OPENCLAW_HOOKS_TOKEN}\""));
}

TEST_F(SetupOpenclaw, NeedsATokenForAGatewayElsewhere) {
  write(gateways(), R"({"hooks": {"enabled": true, "token": "of-here"}})");
  EXPECT_EQ(run({"--url", "https://127.0.0.1.nip.invalid/hooks/agent"}), 2);
  EXPECT_THAT(err_, HasSubstr("OPENCLAW_HOOKS_TOKEN"));
  EXPECT_EQ(run({"--url", "http://gate.invalid"}), 2);
  EXPECT_THAT(err_, HasSubstr("https, or a tunnel"));
  expect_unchanged();
}

TEST_F(SetupOpenclaw, SaysWhenThereIsNoGateway) {
  fs::remove_all(root_ / ".openclaw");
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(err_, HasSubstr("not set up here"));
  expect_unchanged();
  EXPECT_FALSE(fs::exists(root_ / ".openclaw"));
  // One in a container has its files there.
  auto said = ask({"--url", gateway_.url(), "--token", "hook-token"});
  EXPECT_EQ(said["ready"], true);
  EXPECT_FALSE(fs::exists(root_ / ".openclaw"));
  EXPECT_THAT(said["next"].dump(), HasSubstr("export OPENCLAW_HOOKS_TOKEN="));
}

TEST_F(SetupOpenclaw, EditsNoConfigurationThatItDoesNotUnderstand) {
  auto refused = [this](const std::string& text) {
    write(config(), text);
    EXPECT_EQ(run({"--url", gateway_.url(), "--token", "hook-token"}), 2);
    EXPECT_EQ(content_of(config()), text);
    EXPECT_FALSE(fs::exists(gateways()));
    return err_;
  };
  EXPECT_THAT(refused("projectz: {}\n"), HasSubstr("1:1: projectz"));
  EXPECT_THAT(refused("projects: &p {app: {path: /a}}\n"
                      "notifiers: &n {a: {plugin: desktop}}\n"
                      "defaults: {notifiers: &d [a]}\n"
                      "notificationRouting: {info: *d}\n"),
              AllOf(HasSubstr("write it yourself"),
                    HasSubstr("  notifiers: [a, openclaw]")));
  EXPECT_TRUE(gateway_.requests().empty());
}

TEST_F(SetupOpenclaw, MakesNoConfiguration) {
  fs::remove(config());
  EXPECT_EQ(run(), 2);
  EXPECT_FALSE(fs::exists(config()));
  set("AO_CONFIG_PATH", {});
  auto before = fs::current_path();
  fs::create_directories(root_ / "empty");
  fs::current_path(root_ / "empty");
  EXPECT_EQ(run(), 2);
  fs::current_path(before);
  EXPECT_THAT(err_, HasSubstr("projects: {app: {path: .}}"));
  EXPECT_FALSE(fs::exists(root_ / "ao/config.yaml"));
}

TEST_F(SetupOpenclaw, KeepsALinkAndTheModeOfTheConfiguration) {
  fs::rename(config(), root_ / "real.yaml");
  fs::create_symlink(root_ / "real.yaml", config());
  ::chmod((root_ / "real.yaml").c_str(), 0640);
  ask({"--url", gateway_.url(), "--token", "hook-token"});
  EXPECT_TRUE(fs::is_symlink(config()));
  EXPECT_EQ(mode_of(root_ / "real.yaml"), 0640u);
  EXPECT_THAT(content_of(root_ / "real.yaml"), HasSubstr("openclaw"));
}

TEST_F(SetupOpenclaw, RefusesWrongArgumentsAndSessions) {
  EXPECT_EQ(run({"--routing-preset", "none"}), 2);
  EXPECT_EQ(run({"--token", "two\nlines"}), 2);
  EXPECT_THAT(err_, Not(HasSubstr("lines")));
  EXPECT_EQ(run({"more"}), 2);
  expect_unchanged();
  set("AO_SOCKET", "/nowhere");
  set("AO_TOKEN", "aot_x");
  EXPECT_EQ(run(), 6);
}

TEST_F(SetupOpenclaw, IsLookedAtAgainByTheDoctor) {
  ask({"--url", gateway_.url(), "--token", "hook-token"});
  auto row = [this] {
    run_words({"ao", "doctor", "--json"});
    auto all = json::parse(out_);
    for (const auto& one : all["data"])
      if (one["check"] == "notifier openclaw")
        return one;
    return json{};
  };
  EXPECT_EQ(row()["verdict"], "PASS") << out_;
  gateway_setup other;
  other.token = "new";
  gateway_.restart(other);
  EXPECT_EQ(row()["verdict"], "FAIL");
  EXPECT_THAT(row()["remedy"].dump(), HasSubstr("ao setup openclaw"));
  EXPECT_EQ(run_words({"ao", "doctor"}), 1);
}
