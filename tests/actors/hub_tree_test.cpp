#include "actors/hub.hpp"
#include "runtime/io/fd.hpp"
#include "tests/support/places.hpp"

#include <gmock/gmock.h>

#include <regex>
#include <sstream>

using namespace ao;

namespace {

/// The names that stand directly below the root of a drawn tree.
std::vector<std::string> drawn_in(const std::string& file,
                                  const std::string& margin) {
  auto text = read_whole_file(source_file(file).string(), 1u << 20);
  if (!text)
    throw std::runtime_error(to_string(text.error()));
  std::regex branch{"^" + margin + "(├|└)── ([a-z-]+).*"};
  std::vector<std::string> out;
  std::istringstream lines{*text};
  std::smatch found;
  for (std::string line; std::getline(lines, line);)
    if (std::regex_match(line, found, branch))
      out.push_back(found[2]);
  return out;
}

TEST(HubTree, IsTheOneThatIsDrawn) {
  node_context context;
  context.config = live_settings{std::make_shared<const settings>()};
  std::vector<std::string> names;
  for (const auto& child : hub_tree(context, {}, {}).children)
    names.push_back(child.name.text);
  EXPECT_EQ(drawn_in("README.md", ""), names);
  EXPECT_EQ(drawn_in("actors/hub.hpp", "///   "), names);
}

TEST(HubTree, OfANodeOfItsOwnEndsWithItsTerminals) {
  node_context context;
  context.config = live_settings{std::make_shared<const settings>()};
  std::vector<std::string> names;
  for (const auto& child : node_tree(context, {}).children)
    names.push_back(child.name.text);
  EXPECT_THAT(names,
              testing::ElementsAre("uplink", "repositories", "tmux", "runners",
                                   "terminals"));
}

} // namespace
