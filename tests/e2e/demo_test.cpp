#include "runtime/home/files.hpp"
#include "runtime/io/fd.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"
#include "runtime/process/process_table.hpp"
#include "tests/support/places.hpp"
#include "tests/support/terminal_program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <stdexcept>

using namespace ao;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr milliseconds limit{500'000};

/// `ao demo` as a user starts it, with a temp directory and a user's home of
/// its own.
class Demo : public testing::Test {
protected:
  Demo() {
    char name[] = "/tmp/ao-demotest-XXXXXX";
    directory_ = ::mkdtemp(name);
    for (const auto* part : {"/tmp", "/user"})
      fs::create_directory(directory_ + part);
  }

  ~Demo() override { fs::remove_all(directory_); }

  process_spec demo(std::vector<std::string> words) const {
    process_spec spec;
    spec.argv = {program_path("ao"), "demo"};
    spec.argv.insert(spec.argv.end(), words.begin(), words.end());
    spec.env = environment::inherited()
                 .set("HOME", directory_ + "/user")
                 .set("TMPDIR", directory_ + "/tmp")
                 .unset("XDG_RUNTIME_DIR")
                 .to_vector();
    return spec;
  }

  /// Processes whose home lies below this test's directory.
  std::vector<pid_t> survivors() const {
    std::vector<pid_t> out;
    auto all = all_processes();
    if (!all)
      throw std::runtime_error{to_string(all.error())};
    for (const auto& one : *all)
      for (const auto* name : {"AO_HOME", "AO_PROMPT_FILE", "TMPDIR"})
        if (auto value = environ_value(one.pid, name);
            value && value->rfind(directory_, 0) == 0 && !one.ended()) {
          out.push_back(one.pid);
          break;
        }
    return out;
  }

  void expect_nothing_left() const {
    EXPECT_THAT(survivors(), testing::IsEmpty());
    EXPECT_TRUE(fs::is_empty(directory_ + "/tmp"));
    // Neither a home of ao nor settings of git were made for the user.
    EXPECT_TRUE(fs::is_empty(directory_ + "/user"));
  }

  /// `ao demo --until human` at a terminal; each time it asks, the next of
  /// `keys` is typed. Returns the exit code.
  int play_at_terminal(const std::vector<std::string>& keys) {
    auto spec = demo({"--until", "human"});
    spec.env.emplace_back("TERM=dumb");
    auto end
      = run_on_terminal({spec.argv, spec.env, {}}, {"Enter = double): ", keys});
    screen_ = end.screen;
    return end.code;
  }

  std::string directory_;
  std::string screen_;
};

/// Reads lines until one contains `what`; false at the end.
bool read_until(int fd, const std::string& what, std::string& text) {
  char chunk[4096];
  while (text.find(what) == std::string::npos) {
    auto n = ::read(fd, chunk, sizeof chunk);
    if (n <= 0)
      return false;
    text.append(chunk, static_cast<std::size_t>(n));
  }
  return true;
}

TEST_F(Demo, MergesEveryTaskAndLeavesNothingBehind) {
  auto end = run(demo({"--json"}), limit);
  ASSERT_TRUE(end) << to_string(end.error());
  auto said = json::parse(end->out, nullptr, false);
  ASSERT_TRUE(said.is_object()) << end->out << end->err;
  EXPECT_EQ(end->status.code, 0) << said.dump(2) << end->err;
  EXPECT_EQ(said["ok"], true);
  EXPECT_EQ(said["problems"], json::array());
  EXPECT_GT(said["seconds"], 0);
  EXPECT_EQ(said["merged"], said["tasks"].size());
  EXPECT_EQ(said["failed"], 0);
  EXPECT_EQ(said["crashesResumed"], 1);
  EXPECT_EQ(said["refusedDuplicates"], 1);
  EXPECT_EQ(said["hubKills"], 2);
  EXPECT_EQ(said["hangsRestarted"], 1);
  EXPECT_EQ(said["ciRepaired"], 1);
  EXPECT_EQ(said["conflictsResolved"], 1);
  EXPECT_EQ(said["redTogetherRepaired"], 1);
  EXPECT_EQ(said["reviewsAnswered"], 1);
  EXPECT_EQ(said["faultsSurvived"], said["faults"].size());
  EXPECT_GE(said["faults"].size(), 24u);
  EXPECT_EQ(said["selfHeals"], 10) << "five of each task that climbs";
  for (const auto* name : {"mediated", "asked", "answered", "notified"})
    EXPECT_EQ(said[name], 1) << name;
  ASSERT_GE(said["tasks"].size(), 8u);
  for (const auto& task : said["tasks"]) {
    EXPECT_EQ(task["state"], "merged") << task;
    EXPECT_GE(task["runs"], 1) << task;
    EXPECT_EQ(task["mergedSha"].get<std::string>().size(), 40u) << task;
    for (const auto* name : {"task", "title", "session", "agent"})
      EXPECT_TRUE(task[name].is_string()) << task;
    for (const auto* name : {"queuedMs", "workedMs"})
      EXPECT_GE(task[name], 0) << task;
  }
  for (const auto* words :
       {"Count words", "attempt 5 of 5", "a mediator's verdict: advise",
        "a mediator's verdict: ask_human", "incident_asked",
        "the demo answers for a person", "a person's answer: double\n"})
    EXPECT_THAT(end->err, testing::HasSubstr(words));
  expect_nothing_left();
}

TEST_F(Demo, WorksOnNodesOfWhichOneIsCutOffOneKilledAndOneDrained) {
  EXPECT_EQ(run(demo({"--nodes", "2"}), limit)->status.code, 2);
  auto end = run(demo({"--json", "--nodes", "3"}), limit);
  ASSERT_TRUE(end) << to_string(end.error());
  auto said = json::parse(end->out, nullptr, false);
  ASSERT_TRUE(said.is_object()) << end->out << end->err;
  EXPECT_EQ(end->status.code, 0) << said.dump(2) << end->err;
  EXPECT_EQ(said["problems"], json::array());
  EXPECT_EQ(said["merged"], said["tasks"].size());
  EXPECT_EQ(said["nodes"], 3);
  for (const auto* name :
       {"nodesCut", "nodesKilled", "nodesDrained", "nodesReturned"})
    EXPECT_EQ(said[name], 1) << name;
  EXPECT_EQ(said["nodesLost"], 2);
  EXPECT_GE(said["replaced"], 2) << "one of each lost node";
  expect_nothing_left();
}

TEST_F(Demo, LeavesNothingBehindWhenInterrupted) {
  for (auto signal : {SIGINT, SIGTERM}) {
    auto started = spawn(demo({"--json"}));
    ASSERT_TRUE(started) << to_string(started.error());
    std::string progress;
    EXPECT_TRUE(read_until(started->err.get(), "works (run 1)", progress));
    ASSERT_TRUE(send_signal(started->pidfd.get(), signal));
    std::string out;
    read_until(started->err.get(), "(never said)", progress);
    read_until(started->out.get(), "(never said)", out);
    ASSERT_TRUE(wait_ended(started->pidfd.get(), limit)) << progress;
    auto status = reap(started->pidfd.get());
    ASSERT_TRUE(status);
    EXPECT_EQ(status->code, 1) << progress;
    auto said = json::parse(out, nullptr, false);
    ASSERT_TRUE(said.is_object()) << out << progress;
    EXPECT_EQ(said["ok"], false);
    EXPECT_THAT(said["problems"].dump(),
                testing::HasSubstr(signal_name(signal)));
    expect_nothing_left();
  }
}

TEST_F(Demo, KeepsItsHomeWhenAskedTo) {
  auto place = directory_ + "/kept";
  auto end = run(demo({"--keep", "--home", place, "--parallel", "1"}), limit);
  ASSERT_TRUE(end) << to_string(end.error());
  EXPECT_EQ(end->status.code, 0) << end->out << end->err;
  EXPECT_THAT(end->out, testing::HasSubstr("15 merged"));
  EXPECT_TRUE(fs::exists(place + "/forge/textkit.git"));
  EXPECT_TRUE(fs::exists(place + "/logs/hub.log"));
  EXPECT_THAT(survivors(), testing::IsEmpty());
}

TEST_F(Demo, AsksNobodyWhereNobodyIs) {
  auto end = run(demo({"--until", "human"}), limit);
  ASSERT_TRUE(end) << to_string(end.error());
  EXPECT_EQ(end->status.code, 2) << end->err;
  EXPECT_THAT(end->err, testing::HasSubstr("no terminal"));
  EXPECT_EQ(end->out, "");
  EXPECT_EQ(run(demo({"--until", "dawn"}), limit)->status.code, 2);
  expect_nothing_left();
}

TEST_F(Demo, HasThePersonAtTheTerminalAnswer) {
  // No option, but a text; the first number is none of an option.
  EXPECT_EQ(play_at_terminal({"9\n", "*\n"}), 0) << screen_;
  EXPECT_THAT(screen_, testing::HasSubstr("incident_asked"));
  EXPECT_THAT(screen_, testing::HasSubstr("1  double"));
  EXPECT_THAT(screen_, testing::HasSubstr("2  single"));
  EXPECT_THAT(screen_, testing::ContainsRegex("you answer inc-[0-9]+: \\*"));
  EXPECT_THAT(screen_, testing::HasSubstr("All is as it should be"));
  expect_nothing_left();
}

TEST_F(Demo, EndsWhenThePersonAtTheTerminalGoesAway) {
  EXPECT_EQ(play_at_terminal({"\x04"}), 1) << screen_;
  EXPECT_THAT(screen_, testing::HasSubstr("was given no answer"));
  expect_nothing_left();
}

TEST_F(Demo, EndsWhenTheTaskOfTheQuestionIsAbandoned) {
  EXPECT_EQ(play_at_terminal({"abandon\n"}), 1) << screen_;
  EXPECT_THAT(screen_, testing::HasSubstr("\"Quote lines\" is cancelled"));
  expect_nothing_left();
}

TEST_F(Demo, LeavesAHomeAloneThatIsInUse) {
  auto file = directory_ + "/user/precious";
  ASSERT_TRUE(write_file_durably(file, "text"));
  auto end = run(demo({"--home", directory_ + "/user"}), limit);
  ASSERT_TRUE(end) << to_string(end.error());
  EXPECT_EQ(end->status.code, 2) << end->err;
  EXPECT_THAT(end->err, testing::HasSubstr("is not empty"));
  EXPECT_EQ(read_file(file), "text");
  fs::remove(file);
  expect_nothing_left();
}

} // namespace
