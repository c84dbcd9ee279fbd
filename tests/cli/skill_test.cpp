// The skill of the gateway's agent: every command in it is one of ao.

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "runtime/config/yaml_edit.hpp"
#include "tests/support/config_reading.hpp"
#include "tests/support/places.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <regex>
#include <set>
#include <sstream>

using namespace ao;
using namespace ao::cli;
using nlohmann::json;

namespace {

using words = std::vector<std::string>;

std::string skill() {
  return test::content_of(source_file("configs/openclaw/SKILL.md"));
}

/// The argument vectors in its blocks of JSON.
std::vector<words> vectors_in(const std::string& text) {
  std::vector<words> out;
  std::istringstream lines{text};
  auto inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("```", 0) == 0)
      inside = line == "```json";
    else if (inside)
      out.push_back(json::parse(line).get<words>());
  }
  return out;
}

/// The commands between backticks.
std::vector<words> inline_in(const std::string& text) {
  std::vector<words> out;
  static const std::regex pattern{"`(ao [^`\n]+)`"};
  for (std::sregex_iterator at{text.begin(), text.end(), pattern}, end;
       at != end; ++at) {
    std::istringstream line{(*at)[1]};
    out.emplace_back(std::istream_iterator<std::string>{line},
                     std::istream_iterator<std::string>{});
  }
  return out;
}

/// The longest command of the table that the words begin with.
std::string command_of(const words& all) {
  std::string best;
  auto line = " " + all.at(1) + (all.size() > 2 ? " " + all[2] : "") + " ";
  for (const auto& one : command_table())
    if (line.rfind(" " + one.name + " ", 0) == 0
        && one.name.size() > best.size())
      best = one.name;
  return best;
}

/// What `ao` says to them where no hub runs.
int run(const words& all) {
  auto* sink = std::fopen("/dev/null", "w");
  output to{sink, sink, false, false, 0};
  std::vector<const char*> argv;
  for (const auto& word : all)
    argv.push_back(word.c_str());
  auto code = run_ao(static_cast<int>(argv.size()), argv.data(), to);
  std::fclose(sink);
  return code;
}

} // namespace

TEST(Skill, HasTheFrontMatterOfOne) {
  auto text = skill();
  ASSERT_EQ(text.rfind("---\n", 0), 0u);
  auto front = text.substr(4, text.find("\n---\n") - 3);
  EXPECT_EQ(yaml_text_at(front, {"name"}), "ao");
  EXPECT_TRUE(yaml_text_at(front, {"description"}));
}

TEST(Skill, CallsOnlyCommandsThatThereAre) {
  ::setenv("AO_HOME", "/proc/nowhere", 1);
  auto all = vectors_in(skill());
  ASSERT_GT(all.size(), 10u);
  std::set<std::string> used;
  for (auto& one : all) {
    for (auto& word : one)
      if (word == "PROMPT_FILE" || word == "MESSAGE_FILE")
        word = source_file("README.md").string();
    // Everything is understood: only the hub is missing.
    EXPECT_EQ(run(one), 5) << json(one);
    used.insert(command_of(one));
  }
  for (const auto* name : {"status", "spawn", "send", "incident ls",
                           "incident show", "incident answer"})
    EXPECT_EQ(used.count(name), 1u) << name;
}

TEST(Skill, NamesOnlyCommandsThatThereAre) {
  auto all = inline_in(skill());
  ASSERT_GT(all.size(), 5u);
  for (const auto& one : all)
    EXPECT_NE(command_of(one), "") << json(one);
}
