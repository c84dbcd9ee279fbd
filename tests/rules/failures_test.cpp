#include "runtime/rules/failures.hpp"
#include "runtime/rules/transcript.hpp"
#include "tests/support/places.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

// Each file of tests/corpus/failures is called `<class>--<what>.<kind>`:
// `screen` are the rows of a pane, `exit` the status and the last rows of a
// program, `codex` and `claude` lines of a transcript. `none` is no class.

namespace ao {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// 2026-11-27 13:00:00 UTC, an hour less than local time.
const local_clock noon{wall_time{1'795'784'400s}, 1h};

std::vector<std::string> lines_of(const fs::path& file) {
  std::ifstream in{file};
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);)
    out.push_back(line);
  return out;
}

failure_verdict verdict_on(const fs::path& file) {
  auto lines = lines_of(file);
  auto kind = file.extension().string();
  if (kind == ".screen")
    return failure_of_screen(lines);
  if (kind == ".exit") {
    exit_info end;
    end.code = std::stoi(lines.at(0).substr(5));
    end.last_lines.assign(lines.begin() + 1, lines.end());
    return failure_of_exit(end, noon);
  }
  transcript_state state;
  state.kind
    = kind == ".codex" ? transcript_kind::codex : transcript_kind::claude_code;
  for (const auto& line : lines)
    take_line(state, line);
  return failure_of_turn(state, noon);
}

class Corpus : public testing::TestWithParam<std::string> {};

std::vector<std::string> all_files() {
  std::vector<std::string> out;
  for (const auto& one :
       fs::directory_iterator{source_file("tests/corpus/failures")})
    out.push_back(one.path().filename().string());
  std::sort(out.begin(), out.end());
  return out;
}

TEST_P(Corpus, IsOfItsClass) {
  auto expected = GetParam().substr(0, GetParam().find("--"));
  auto found = verdict_on(source_file("tests/corpus/failures") / GetParam());
  EXPECT_EQ(found.failure, expected == "none" ? "" : expected) << found.text;
  EXPECT_EQ(found.text.empty(), found.failure.empty());
}

INSTANTIATE_TEST_SUITE_P(Failures, Corpus, testing::ValuesIn(all_files()),
                         [](const auto& info) {
                           auto name = info.param;
                           for (auto& c : name)
                             if (std::isalnum(static_cast<unsigned char>(c))
                                 == 0)
                               c = '_';
                           return name;
                         });

TEST(Corpora, AreLarge) {
  EXPECT_GE(all_files().size(), 40u);
}

std::string end_of_limit(const char* words) {
  auto at = reset_time(words, noon);
  return at ? format_time(*at) : "";
}

TEST(ResetTime, IsReadAsProgramsSayIt) {
  EXPECT_EQ(end_of_limit("Please try again in 1.5s."),
            "2026-11-27T13:00:01.500Z");
  EXPECT_EQ(end_of_limit("Please try again in 20ms."),
            "2026-11-27T13:00:00.020Z");
  EXPECT_EQ(end_of_limit("Please try again in 3m20s."),
            "2026-11-27T13:03:20.000Z");
  EXPECT_EQ(end_of_limit("or try again in 3 days 4 hours 9 minutes."),
            "2026-11-30T17:09:00.000Z");
  EXPECT_EQ(end_of_limit("try again in 1 hour and 5 minutes"),
            "2026-11-27T14:05:00.000Z");
  EXPECT_EQ(end_of_limit("limit reached \u2219 resets 3pm"),
            "2026-11-27T14:00:00.000Z")
    << "local time";
  EXPECT_EQ(end_of_limit("try again at 3:45 PM."), "2026-11-27T14:45:00.000Z");
  EXPECT_EQ(end_of_limit("resets 1am (Europe/Berlin)"),
            "2026-11-28T00:00:00.000Z")
    << "the next one";
  EXPECT_EQ(end_of_limit("try again at Nov 28th, 2026 12:05 AM."),
            "2026-11-27T23:05:00.000Z");
  EXPECT_EQ(end_of_limit("limit reached|1795795200"),
            "2026-11-27T16:00:00.000Z");
}

TEST(ResetTime, IsNothingWhereNoneIsTold) {
  for (auto words :
       {"", "try again later", "429 Too Many Requests", "in 3 minutes",
        "try again in 40 days", "try again at 13:99 pm",
        "limit reached|1495795200", "resets 77pm", "try again in s",
        "try again in 99999999999999999999999999999999 days",
        "try again at Foo 3, 3pm"})
    EXPECT_EQ(end_of_limit(words), "") << words;
}

} // namespace
} // namespace ao
