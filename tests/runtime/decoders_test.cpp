// Each decoder of foreign bytes reads thousands of damaged examples: it may
// refuse them, and keeps what it promises. `./dev soak fuzz` does the same for
// as long as one likes, led by what the code does.

#include "tests/support/decoders.hpp"
#include "tests/support/places.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>

using namespace ao;
namespace fs = std::filesystem;

namespace {

/// Bytes that mean something to one decoder or another.
const std::vector<std::string> tokens{"{",
                                      "}",
                                      "[",
                                      "]",
                                      "\"",
                                      "\\",
                                      ":",
                                      ",",
                                      "\n",
                                      "\r\n",
                                      "\r\n\r\n",
                                      " ",
                                      "\t",
                                      "%",
                                      "%00",
                                      "\\u0000",
                                      "\\ud800",
                                      "null",
                                      "true",
                                      "-1",
                                      "1e999",
                                      "18446744073709551616",
                                      "0",
                                      "@@ -",
                                      "--- ",
                                      "+++ ",
                                      "- [ ] ",
                                      "## ",
                                      "```",
                                      "needs: ",
                                      "&a ",
                                      "*a",
                                      "!!int ",
                                      "|\n",
                                      ">",
                                      "---",
                                      "#",
                                      std::string{"\0", 1},
                                      "\xff",
                                      "\xc3",
                                      "\xf0\x9f\x8e\x89",
                                      "../",
                                      "HTTP/1.1",
                                      "Content-Length: ",
                                      "Transfer-Encoding: chunked\r\n",
                                      "local",
                                      "filter.x.clean"};

std::string mutated(std::string text, const std::vector<std::string>& examples,
                    std::mt19937& dice) {
  auto pick = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>{0, n - 1}(dice);
  };
  for (auto steps = pick(4) + 1; steps > 0; --steps) {
    auto at = pick(text.size() + 1);
    auto length = std::min(text.size() - at, pick(16));
    switch (pick(6)) {
    case 0:
      text.erase(at, length);
      break;
    case 1:
      text.insert(at, tokens[pick(tokens.size())]);
      break;
    case 2:
      text.insert(at, text.substr(pick(text.size() + 1), pick(64)));
      break;
    case 3:
      if (at < text.size())
        text[at] = static_cast<char>(pick(256));
      break;
    case 4: {
      const auto& other = examples[pick(examples.size())];
      text = text.substr(0, at) + other.substr(pick(other.size() + 1));
      break;
    }
    default:
      text.resize(at);
    }
  }
  return text.substr(0, 20'000);
}

class DecodersOf : public testing::TestWithParam<std::string> {};

TEST_P(DecodersOf, KeepTheirPromisesForDamagedBytes) {
  const auto* one = find_decoder(GetParam());
  ASSERT_NE(one, nullptr);
  std::vector<std::string> examples;
  for (const auto& entry :
       fs::directory_iterator{source_file("tests/fuzz/corpus/" + one->name)}) {
    std::ifstream in{entry.path(), std::ios::binary};
    examples.emplace_back(std::istreambuf_iterator<char>{in},
                          std::istreambuf_iterator<char>{});
  }
  ASSERT_FALSE(examples.empty());
  std::sort(examples.begin(), examples.end());
  for (const auto& text : examples)
    one->decode(text);
  one->decode("");
  constexpr unsigned always = 20261127;
  std::mt19937 dice{always};
  // A configuration of all keys takes a while.
  auto count = one->name == "config" ? 1'000 : 3'000;
  for (int i = 0; i < count; ++i)
    one->decode(mutated(examples[static_cast<std::size_t>(i) % examples.size()],
                        examples, dice));
}

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const auto& one : decoders())
    out.push_back(one.name);
  return out;
}

INSTANTIATE_TEST_SUITE_P(All, DecodersOf, testing::ValuesIn(names()),
                         [](const auto& what) { return what.param; });

TEST(Decoders, EachHasExamplesAndAFuzzTarget) {
  std::ifstream in{source_file("tests/fuzz/CMakeLists.txt")};
  std::string cmake{std::istreambuf_iterator<char>{in}, {}};
  for (const auto& one : decoders())
    EXPECT_NE(cmake.find(" " + one.name), std::string::npos) << one.name;
  std::set<std::string> folders;
  for (const auto& entry :
       fs::directory_iterator{source_file("tests/fuzz/corpus")})
    folders.insert(entry.path().filename().string());
  auto all = names();
  EXPECT_EQ(folders, std::set<std::string>(all.begin(), all.end()));
}

} // namespace
