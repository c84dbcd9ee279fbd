#include "messages/time.hpp"
#include "runtime/log/log.hpp"
#include "runtime/log/rotating_file.hpp"
#include "tests/support/small_disk.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

using namespace ao;
namespace fs = std::filesystem;

namespace {

class Log : public ::testing::Test {
protected:
  void SetUp() override {
    auto pattern = (fs::temp_directory_path() / "ao-log-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir = pattern;
  }
  void TearDown() override { fs::remove_all(dir); }

  std::unique_ptr<ao::log> open(log_options options,
                                redactor secrets = redactor{}) {
    options.file = file();
    auto opened = ao::log::open(options, std::move(secrets));
    EXPECT_TRUE(opened) << to_string(opened.error());
    return std::move(*opened);
  }

  fs::path file() const { return dir / "logs" / "hub.log"; }

  std::string content() const {
    std::ifstream in{file()};
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }

  fs::path dir;
};

} // namespace

TEST_F(Log, WritesOneLineWithTimeLevelVerbAndIds) {
  auto out = open({});
  out->info("task_claimed", {{"task", "T17"}, {"session", "app-4"}});
  out->flush();
  auto text = content();
  EXPECT_EQ(text.substr(24), " info task_claimed task=T17 session=app-4\n");
  EXPECT_TRUE(parse_time(text.substr(0, 24)));
}

TEST_F(Log, LeavesOutWhatIsBelowItsLevel) {
  auto out = open({});
  out->debug("mail");
  out->error("escalation_opened");
  out->flush();
  EXPECT_EQ(content().find("mail"), std::string::npos);
  EXPECT_NE(content().find("error escalation_opened"), std::string::npos);
}

TEST_F(Log, LosesWholeLinesAloneOnAFullDisk) {
  if (!small_disk::allowed())
    GTEST_SKIP() << "this process may not mount";
  small_disk disk{dir / "small", 64 << 10};
  auto out = rotating_file::open(dir / "small/hub.log", 1 << 20, 2);
  ASSERT_TRUE(out);
  const std::string line(999, 'x');
  for (int i = 0; i < 100; ++i)
    out->append(line + "\n");
  ASSERT_TRUE(std::filesystem::exists(dir / "small/hub.log"));
  // Room for the end of what was cut off, and for nothing else.
  std::filesystem::resize_file(dir / "small/hub.log", 32 << 10);
  out->append(line + "\n");
  out->append(line + "\n");
  std::ifstream in{dir / "small/hub.log"};
  std::vector<std::string> all;
  for (std::string one; std::getline(in, one);)
    all.push_back(one);
  ASSERT_GT(all.size(), 2u);
  EXPECT_EQ(all[all.size() - 1], line);
  EXPECT_EQ(all[all.size() - 2], line);
}

TEST_F(Log, IsPrivateToItsUser) {
  auto out = open({});
  struct stat info {};
  ASSERT_EQ(::stat(file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(file().parent_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(Log, KeepsALineALineWhateverTheValueIs) {
  EXPECT_EQ(log_line("x", {{"why", "two\n\"words\""}, {"none", ""}}),
            "x why=\"two\\n\\\"words\\\"\" none=\"\"");
}

TEST_F(Log, NeverHoldsASecretAlsoAfterAReload) {
  auto out = open({}, redactor{{"first-secret"}});
  out->info("a", {{"x", "first-secret"}});
  out->replace_secrets(redactor{{"second-secret"}});
  out->info("b", {{"x", "second-secret"}});
  out->flush();
  EXPECT_EQ(content().find("-secret"), std::string::npos);
}

TEST_F(Log, WritesWhatWaitsWhenItEnds) {
  {
    auto out = open({});
    for (int i = 0; i < 500; ++i)
      out->info("line", {{"i", std::to_string(i)}});
  }
  EXPECT_NE(content().find("line i=499\n"), std::string::npos);
}

TEST_F(Log, MovesAFullFileAsideAndKeepsOnlySoMany) {
  log_options options;
  options.max_file_bytes = 500;
  options.max_files = 2;
  auto out = open(options);
  for (int i = 0; i < 100; ++i)
    out->info("line", {{"i", std::to_string(i)}});
  out->flush();
  EXPECT_LE(fs::file_size(file()), 500u);
  EXPECT_TRUE(fs::exists(file().string() + ".1"));
  EXPECT_TRUE(fs::exists(file().string() + ".2"));
  EXPECT_FALSE(fs::exists(file().string() + ".3"));
  EXPECT_NE(content().find("line i=99\n"), std::string::npos);
}

TEST_F(Log, SaysHowManyLinesWereDroppedInAFlood) {
  auto out = open({});
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t)
    writers.emplace_back([&out] {
      for (int i = 0; i < 20'000; ++i)
        out->info("flood");
    });
  for (auto& w : writers)
    w.join();
  out->flush();
  out->info("last");
  out->flush();
  std::size_t lines = 0, dropped = 0, reports = 0;
  std::istringstream in{content()};
  for (std::string line; std::getline(in, line); ++lines) {
    auto at = line.find("log_lines_dropped count=");
    if (at != std::string::npos) {
      dropped += std::stoul(line.substr(at + 24));
      ++reports;
    }
  }
  EXPECT_EQ(lines - reports + dropped, 80'001u);
  EXPECT_NE(content().find(" last\n"), std::string::npos);
}

TEST_F(Log, ThatCannotBeOpenedSaysWhy) {
  log_options options;
  options.file = dir;
  auto opened = ao::log::open(options, redactor{});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ec::home_unusable);
  EXPECT_NE(opened.error().context.find(dir.string()), std::string::npos);
}

TEST(Redactor, KnowsTheCommonShapes) {
  redactor r;
  for (std::string secret :
       {"ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "github_pat_11ABCDEFG0abcdefghijkl_0123456789",
        "sk-ant-api03-abcdefghijklmnop", "sk-proj-0123456789abcdef0123",
        "xoxb-1234567890-abcdef", "xoxp-1234567890-abcdef",
        "AKIAIOSFODNN7EXAMPLE", "aot_0123456789abcdef",
        "123456789:AAabcdefghijklmnopqrstuvwxyz0123456"})
    EXPECT_EQ(r.redact("before " + secret + ", after"), "before ***, after")
      << secret;
  EXPECT_EQ(r.redact("Authorization: Bearer abc.def/ghi=jkl rest"),
            "Authorization: Bearer *** rest");
  // In the Bot API's URLs a word runs into the token.
  EXPECT_EQ(r.redact("https://api.telegram.org/bot"
                     "123456789:AAabcdefghijklmnopqrstuvwxyz0123456/x"),
            "https://api.telegram.org/bot***/x");
}

TEST(Redactor, LeavesOrdinaryTextAlone) {
  redactor r{{"abc"}};
  for (std::string text :
       {"task-sk-learn", "sk-learn is a library", "bearer of news",
        "12:30:45 at 2026-11-23", "abc", "AKIA", "ao/app-7"})
    EXPECT_EQ(r.redact(text), text);
}

TEST(Redactor, LeavesNoRestOfASecretInsideAnother) {
  redactor r{{"secret", "secret-longer"}};
  EXPECT_EQ(r.redact("secret-longer secret"), "*** ***");
}

RC_GTEST_PROP(Redactor, NeverLetsAConfiguredSecretThrough,
              (const std::string& before, const std::string& after)) {
  auto secret = *rc::gen::nonEmpty(rc::gen::container<std::string>(
    rc::gen::oneOf(rc::gen::inRange('a', 'z'), rc::gen::inRange('0', '9'))));
  RC_PRE(secret.size() >= 4u);
  auto text = redactor{{secret}}.redact(before + secret + after);
  RC_ASSERT(text.find(secret) == std::string::npos);
}
