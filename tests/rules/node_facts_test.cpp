#include "runtime/rules/node_facts.hpp"

#include <gtest/gtest.h>

using namespace ao;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t gib = std::uint64_t{1} << 30;

msg::node_facts healthy() {
  return {{"codex", "aider"}, {}, 8 * gib};
}

} // namespace

TEST(NodeFacts, AreToldWhenSomethingHasChanged) {
  auto known = healthy();
  EXPECT_TRUE(worth_telling(std::nullopt, known));
  EXPECT_FALSE(worth_telling(known, known));
  auto now = known;
  now.agents.pop_back();
  EXPECT_TRUE(worth_telling(known, now));
  now = with_unready(known, {"codex", true, "run codex login"});
  EXPECT_TRUE(worth_telling(known, now));
  EXPECT_TRUE(worth_telling(now, known));
  EXPECT_FALSE(worth_telling(now, now));
  auto other = with_unready(known, {"codex", false, "it is missing"});
  EXPECT_TRUE(worth_telling(now, other));
}

TEST(NodeFacts, TellMemoryByTheQuarter) {
  auto known = healthy();
  for (auto [memory, told] : {std::pair{6 * gib, false},
                              {6 * gib - 1, true},
                              {10 * gib, false},
                              {10 * gib + 1, true},
                              {std::uint64_t{0}, true}}) {
    auto now = known;
    now.memory = memory;
    EXPECT_EQ(worth_telling(known, now), told) << memory;
  }
}

TEST(NodeFacts, AreProbedOftenOnlyWhileSomethingIsWrong) {
  auto now = healthy();
  EXPECT_EQ(pause_of_probe(now, 30s), 5min);
  now = with_unready(now, {"codex", true, ""});
  EXPECT_EQ(pause_of_probe(now, 30s), 30s);
  EXPECT_EQ(pause_of_probe(now, 1h), 5min);
}

TEST(NodeFacts, KeepOneWordOfEachAgent) {
  auto now = with_unready(healthy(), {"codex", true, "first"});
  now = with_unready(now, {"aider", false, "other"});
  now = with_unready(now, {"codex", true, "second"});
  ASSERT_EQ(now.unready.size(), 2u);
  EXPECT_EQ(now.unready.back().why, "second");
}
