#include "cli/command.hpp"
#include "cli/output.hpp"
#include "runtime/http/router.hpp"
#include "runtime/http/server.hpp"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

using namespace ao;
using namespace ao::cli;
using nlohmann::json;

namespace {

/// What a run of `ao` left behind.
struct run_result {
  int code;
  std::string out;
  std::string err;
};

std::string text_of(std::FILE* file) {
  std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

run_result run(std::vector<const char*> words, std::size_t columns = 0) {
  auto* out = std::tmpfile();
  auto* err = std::tmpfile();
  output to{out, err, false, false, columns};
  words.insert(words.begin(), "ao");
  auto code = run_ao(static_cast<int>(words.size()), words.data(), to);
  return {code, text_of(out), text_of(err)};
}

class Cli : public testing::Test {
protected:
  Cli() {
    char name[] = "/tmp/ao-cli-XXXXXX";
    directory_ = ::mkdtemp(name);
    ::setenv("AO_HOME", directory_.c_str(), 1);
    ::unsetenv("AO_SOCKET");
    ::unsetenv("AO_TOKEN");
  }
  ~Cli() override { std::filesystem::remove_all(directory_); }

  std::string directory_;
};

/// A hub that says what the test wants.
class CliWithHub : public Cli {
protected:
  ~CliWithHub() override {
    server_.reset();
    guard_.reset();
    if (thread_.joinable())
      thread_.join();
  }

  void serve() {
    auto where = open_home(directory_);
    ASSERT_TRUE(where);
    server_ = std::make_unique<http::server>(io_, std::ref(router_));
    ASSERT_TRUE(server_->listen_unix("hub", where->hub_socket()));
    thread_ = std::thread{[this] { io_.run(); }};
  }

  void answer(const char* method, const char* route, int status, json body) {
    router_.on(method, route,
               [=](http::request what, http::respond_once respond) {
                 last_ = json::parse(what.body, nullptr, false);
                 respond(http::json_response(status, body));
               });
  }

  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type>
    guard_ = boost::asio::make_work_guard(io_);
  http::router router_;
  std::unique_ptr<http::server> server_;
  std::thread thread_;
  json last_;
};

} // namespace

TEST_F(Cli, SaysItsVersionWithoutHubOrHome) {
  ::setenv("AO_HOME", "/proc/nowhere", 1);
  auto end = run({"--version"});
  EXPECT_EQ(end.code, 0);
  EXPECT_EQ(end.out.rfind("ao 0.", 0), 0u);
  EXPECT_EQ(run({"--help"}).code, 0);
  EXPECT_EQ(run({"session", "ls", "--help"}).code, 0);
}

TEST_F(Cli, EndsWithTwoWhenItIsUsedWrongly) {
  for (const auto& words : std::vector<std::vector<const char*>>{
         {},
         {"nonsense"},
         {"task"},
         {"spawn", "T1", "T2"},
         {"spawn"},
         {"spawn", "T1", "--prompt", "x"},
         {"spawn", "--prompt", "a", "--prompt-file", "b"},
         {"spawn", "T1", "--timeout", "soon"},
         {"task", "add", "t", "--priority", "10"},
         {"task", "add", "two\nlines"},
         {"events", "--after", "-x"},
         {"report", "merged"},
         {"acknowledge"},
         {"status", "--unknown"}}) {
    auto end = run(words);
    EXPECT_EQ(end.code, 2) << end.err;
    EXPECT_EQ(end.out, "");
    EXPECT_NE(end.err, "");
  }
}

TEST_F(Cli, TakesNoPromptThatIsNotCleanText) {
  EXPECT_EQ(run({"spawn", "--prompt", "\xFF"}).code, 2);
  auto path = directory_ + "/p";
  auto* file = std::fopen(path.c_str(), "w");
  std::fwrite("a\0b", 1, 3, file);
  std::fclose(file);
  EXPECT_EQ(run({"spawn", "--prompt-file", path.c_str()}).code, 2);
}

TEST_F(Cli, NeedsAHubAndSaysHowToStartIt) {
  for (const auto& words :
       std::vector<std::vector<const char*>>{{"status"},
                                             {"task", "add", "status"},
                                             {"spawn", "T1"},
                                             {"why", "T1"},
                                             {"events"},
                                             {"session", "ls"},
                                             {"pr", "ls"}}) {
    auto end = run(words);
    EXPECT_EQ(end.code, 5);
    EXPECT_NE(end.err.find("ao start"), std::string::npos);
  }
  auto end = run({"status", "--json"});
  EXPECT_EQ(json::parse(end.out)["error"], "hub_not_running");
}

TEST_F(Cli, StopsWhatDoesNotRunAndStartsNothingWithoutItsProgram) {
  EXPECT_EQ(run({"stop"}).code, 0);
  auto end = run({"start"});
  EXPECT_EQ(end.code, 1);
  EXPECT_NE(end.err.find("ao-hub"), std::string::npos);
}

TEST_F(Cli, RefusesTheHubsLifeToASession) {
  ::setenv("AO_SOCKET", "/nowhere", 1);
  ::setenv("AO_TOKEN", "aot_x", 1);
  EXPECT_EQ(run({"stop"}).code, 6);
  EXPECT_EQ(run({"start"}).code, 6);
}

TEST_F(Cli, ChecksTheHostWithoutAHub) {
  auto end = run({"doctor", "--json"});
  EXPECT_EQ(end.code, 0) << end.out;
  EXPECT_EQ(json::parse(end.out)["ok"], true);
}

TEST_F(Cli, ChecksAConfigurationWithoutAHub) {
  auto path = directory_ + "/ao.yaml";
  auto write = [&](const char* text) {
    auto* file = std::fopen(path.c_str(), "w");
    std::fputs(text, file);
    std::fclose(file);
  };
  write("limitz: {sessions: 3}\n");
  auto end = run({"config", "check", path.c_str()});
  EXPECT_EQ(end.code, 2);
  EXPECT_EQ(end.err.rfind(path + ":1:1: limitz: ", 0), 0u) << end.err;
  end = run({"config", "check", path.c_str(), "--json"});
  EXPECT_EQ(json::parse(end.out)["valid"], false);
  write("limits: {sessions: 3}\n");
  EXPECT_EQ(run({"config", "check", path.c_str()}).code, 0);
  end = run({"config", "show", path.c_str()});
  EXPECT_NE(end.out.find("limits.sessions"), std::string::npos);
}

TEST_F(CliWithHub, AddsATaskAndNamesItLast) {
  answer("POST", "/api/v1/tasks", 201, {{"id", "T1"}, {"state", "ready"}});
  serve();
  auto end = run({"task", "add", "Fix it", "--needs", "T7", "--needs", "T8",
                  "--label", "[a,b]", "-p", "app"});
  EXPECT_EQ(end.code, 0) << end.err;
  EXPECT_NE(end.out.find("\nTASK=T1\n"), std::string::npos);
  EXPECT_EQ(last_["title"], "Fix it");
  EXPECT_EQ(last_["project"], "app");
  EXPECT_EQ(last_["needs"], json({"T7", "T8"}));
  EXPECT_EQ(last_["labels"], json::array({"[a,b]"}));
}

TEST_F(CliWithHub, SpawnsAndWaitsUntilTheAgentLives) {
  answer("POST", "/api/v1/sessions", 201,
         {{"id", "app-1"}, {"status", "spawning"}});
  answer("GET", "/api/v1/sessions/{id}", 200,
         {{"id", "app-1"},
          {"status", "working"},
          {"runtime", {{"state", "alive"}}}});
  router_.on("GET", "/api/v1/events",
             [](http::request what, http::respond_once respond) {
               EXPECT_EQ(what.query["subject"], "session:app-1");
               respond.stream().write(5, "agent_started", "{}");
             });
  serve();
  auto end = run({"spawn", "T1"});
  EXPECT_EQ(end.code, 0) << end.err;
  EXPECT_NE(end.out.find("app-1 is working"), std::string::npos);
  EXPECT_NE(end.out.find("\nSESSION=app-1\n"), std::string::npos);
}

TEST_F(CliWithHub, ReportsASpawnThatFailed) {
  answer("POST", "/api/v1/sessions", 201,
         {{"id", "app-1"},
          {"status", "errored"},
          {"runtime", {{"state", "exited"}, {"reason", "worktree: no room"}}}});
  serve();
  auto end = run({"spawn", "T1"});
  EXPECT_EQ(end.code, 1);
  EXPECT_NE(end.err.find("worktree: no room"), std::string::npos);
}

TEST_F(CliWithHub, NamesTheHolderOfAClaimedTask) {
  router_.on(
    "POST", "/api/v1/sessions", [](http::request, http::respond_once respond) {
      error why{ec::task_already_claimed, "app/x#1 is held"};
      why.details = {{"task", "T1"}, {"holder", "app-7"}, {"epoch", "3"}};
      respond(why);
    });
  serve();
  auto end = run({"spawn", "T1", "--json"});
  EXPECT_EQ(end.code, 4);
  for (auto word : {"task_already_claimed", "app/x#1", "app-7"})
    EXPECT_NE(end.err.find(word), std::string::npos) << word;
  auto document = json::parse(end.out);
  EXPECT_EQ(document["error"], "task_already_claimed");
  EXPECT_EQ(document["holder"], "app-7");
  EXPECT_EQ(document["epoch"], 3);
}

TEST_F(CliWithHub, LetsNoForeignEscapeReachTheTerminal) {
  answer(
    "GET", "/api/v1/tasks", 200,
    {{"data", {{{"id", "T1"}, {"title", "\x1b]0;evil\x07 \x9b red\r\n"}}}}});
  serve();
  auto end = run({"task", "ls"});
  EXPECT_EQ(end.code, 0);
  EXPECT_EQ(end.out.find('\x1b'), std::string::npos);
  EXPECT_EQ(end.out.find('\x07'), std::string::npos);
  EXPECT_EQ(end.out.find('\r'), std::string::npos);
  EXPECT_NE(end.out.find("evil"), std::string::npos);
}

TEST_F(CliWithHub, TellsAStoryWithItsCauses) {
  answer("GET", "/api/v1/tasks/{id}", 200,
         {{"id", "T1"}, {"state", "parked"}, {"why", "too many attempts"}});
  answer("GET", "/api/v1/incidents", 200, {{"data", json::array()}});
  router_.on(
    "GET", "/api/v1/events", [](http::request what, http::respond_once to) {
      auto rows = json::array();
      if (what.query["after"] == "0" && what.query["subject"] == "task:T1")
        rows = {{{"seq", 3},
                 {"kind", "ci_failed"},
                 {"subject", "task:T1"},
                 {"data", {{"session", "app-1"}}}},
                {{"seq", 9},
                 {"kind", "incident_opened"},
                 {"subject", "task:T1"},
                 {"cause", 3},
                 {"epoch", 2}}};
      to(http::json_response(200, {{"data", rows}}));
    });
  serve();
  auto end = run({"why", "T1"});
  EXPECT_EQ(end.code, 0) << end.err;
  EXPECT_NE(end.out.find("because #3 ci_failed"), std::string::npos);
  EXPECT_NE(end.out.find("now: parked: too many attempts"), std::string::npos);
}

TEST(Sanitize, MakesEveryControlCharacterVisible) {
  for (int c = 0; c < 256; ++c) {
    auto text = sanitize(std::string(1, static_cast<char>(c)));
    EXPECT_FALSE(text.size() == 1 && (c < 0x20 || c >= 0x7F)) << c;
  }
  EXPECT_EQ(sanitize("a\nb\tc", true), "a\nb\tc");
  EXPECT_EQ(sanitize("grün 世界"), "grün 世界");
  // CSI as one C1 character, and the mark that turns a line around.
  EXPECT_EQ(sanitize("\xC2\x9B"
                     "x"),
            "\xEF\xBF\xBDx");
  EXPECT_EQ(sanitize("\xE2\x80\xAE"
                     "x"),
            "\xEF\xBF\xBDx");
}

TEST(Shorten, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("世界"), 4u);
  EXPECT_EQ(shorten("grün", 4), "grün");
  EXPECT_EQ(shorten("世界x", 4), "世…");
}
