// What the documents say is what the program does: routes, kinds of events,
// keys, commands and configurations of README.md and docs/.

#include "cli/command.hpp"
#include "cli/help/completion.hpp"
#include "messages/event.hpp"
#include "runtime/config/value_rules.hpp"
#include "tests/support/config_reading.hpp"
#include "tests/support/documents.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

using namespace ao;
using namespace ao::cli;
using namespace ao::test;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in{text};
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);)
    out.push_back(line);
  return out;
}

/// Everything that a pattern's first group matches.
std::set<std::string> all_matches(const std::string& text,
                                  const std::string& pattern) {
  std::regex wanted{pattern};
  std::set<std::string> out;
  for (std::sregex_iterator i{text.begin(), text.end(), wanted}, end; i != end;
       ++i)
    out.insert((*i)[1]);
  return out;
}

TEST(Docs, TheApiHasTheRoutesOfTheCode) {
  auto code = content_of(source_file("actors/api.cpp"));
  std::set<std::string> routes;
  std::regex row{"\\{\"(GET|POST)\", \"([^\"]+)\","};
  for (std::sregex_iterator i{code.begin(), code.end(), row}, end; i != end;
       ++i)
    routes.insert((*i)[1].str() + " " + (*i)[2].str());
  EXPECT_GT(routes.size(), 40u);
  EXPECT_EQ(all_matches(content_of(source_file("docs/api.md")),
                        "\\| `((?:GET|POST) /[^`]*)` \\|"),
            routes);
}

TEST(Docs, EachKindOfEventIsExplainedOnce) {
  std::set<std::string> kinds;
  for (auto kind : all_event_kinds())
    kinds.insert(std::string{to_string(kind)});
  auto text = content_of(source_file("docs/events.md"));
  EXPECT_EQ(all_matches(text, "\\| `([a-z_]+)` \\|"), kinds);
  for (const auto& kind : kinds) {
    auto row = "| `" + kind + "` |";
    EXPECT_EQ(text.find(row), text.rfind(row)) << kind;
  }
}

std::string key_rows() {
  std::string out = "| key | meaning | expects | default | counts from |\n"
                    "|---|---|---|---|---|\n";
  for (const auto& row : config_keys().rows()) {
    if (row.type == key_type::ignored)
      continue;
    bool is_value
      = row.type != key_type::section && row.type != key_type::table;
    auto name = "`" + row.pattern + "`";
    if (!row.alias.empty())
      name += " (also `" + row.alias + "`)";
    out += "| " + name + " | " + row.doc + " | "
      + (is_value ? expectation(row) : "") + " | "
      + (row.fallback.empty() ? "" : "`" + row.fallback + "`") + " | "
      + (!is_value                                    ? ""
           : row.effect == takes_effect::next_session ? "next session"
           : row.effect == takes_effect::restart      ? "restart"
                                                      : "now")
      + " |\n";
  }
  return out;
}

TEST(Docs, TheConfigurationHasTheKeysOfTheTable) {
  auto file = source_file("docs/configuration.md");
  auto text = content_of(file);
  const std::string begin = "<!-- keys: made from the key table, see "
                            "tests/cli/docs_test.cpp -->\n";
  auto from = text.find(begin);
  auto to = text.find("<!-- /keys -->");
  ASSERT_NE(from, text.npos);
  ASSERT_NE(to, text.npos);
  from += begin.size();
  auto fresh = text.substr(0, from) + key_rows() + text.substr(to);
  // To renew it: AO_RENEW=1 cli_tests --gtest_filter=Docs.*
  if (std::getenv("AO_RENEW"))
    std::ofstream{file} << fresh;
  EXPECT_TRUE(content_of(file) == fresh) << "AO_RENEW=1 renews " << file;
}

TEST(Docs, EveryConfigurationOfTheDocumentsLoads) {
  std::size_t count = 0;
  for (const auto& document : documents())
    for (const auto& block : blocks_of(document))
      if (block.language == "yaml") {
        SCOPED_TRACE(document.string() + "\n" + block.text);
        EXPECT_EQ(report(read(block.text, {{"BOT_TOKEN", "1:a"}})), "");
        ++count;
      }
  EXPECT_GT(count, 0u);
}

/// The words of a line of sh, without quotes, pipes and comments.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> out;
  std::string word;
  char quote = 0;
  bool any = false;
  auto end_word = [&] {
    if (any)
      out.push_back(word);
    word.clear();
    any = false;
  };
  for (char c : line) {
    if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        word += c;
    } else if (c == '"' || c == '\'') {
      quote = c;
      any = true;
    } else if (c == ' ') {
      end_word();
    } else if ((c == '#' && !any) || c == '>' || c == '|' || c == '&') {
      break;
    } else {
      word += c;
      any = true;
    }
  }
  end_word();
  return out;
}

const command* command_of(const std::vector<std::string>& words) {
  const command* best = nullptr;
  for (const auto& one : command_table())
    if (one.name == words[1]
        || (words.size() > 2 && one.name == words[1] + " " + words[2]))
      best = &one;
  return best;
}

/// What is wrong with a call of `ao`; empty = nothing.
std::string fault_of(const std::vector<std::string>& words) {
  const auto* called = command_of(words);
  if (called == nullptr)
    return "there is no such command";
  std::set<std::string> options{"--json", "-p", "--project", "--help", "-h"};
  for (const auto& a : called->args)
    for (const auto& name : spellings_of(a))
      options.insert(name);
  for (const auto& word : words)
    if (word[0] == '-' && options.count(word.substr(0, word.find('='))) == 0)
      return "it has no " + word;
  return {};
}

TEST(Docs, EveryCommandOfTheDocumentsExists) {
  std::size_t count = 0;
  for (const auto& document : documents())
    for (const auto& block : blocks_of(document))
      for (const auto& line : lines_of(block.text)) {
        auto words = words_of(line);
        if (words.size() < 2 || words[0] != "ao")
          continue;
        EXPECT_EQ(fault_of(words), "") << document << ": " << line;
        ++count;
      }
  EXPECT_GT(count, 30u);
}

TEST(Docs, EveryLinkLeadsSomewhere) {
  for (const auto& document : documents())
    for (const auto& link :
         all_matches(content_of(document), "\\]\\(([^)#:]+)\\)"))
      EXPECT_TRUE(fs::exists(document.parent_path() / link))
        << document << ": " << link;
}

} // namespace
