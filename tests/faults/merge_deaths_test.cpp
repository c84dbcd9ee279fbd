// The hub dies between two steps of a merge, whichever they are: the change is
// merged once, and nothing is left behind.

#include "tests/support/mortal_merges.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

using namespace ao;
using testing::IsEmpty;

namespace {

/// How many of a merge's steps; `./dev soak merge_steps` takes all.
int deaths() {
  const auto* text = std::getenv("AO_MERGE_DEATHS");
  return text != nullptr ? std::atoi(text) : 6;
}

constexpr const char* methods[] = {"squash", "merge", "rebase"};

/// Each method takes other steps than the others.
class MergeDeaths : public testing::TestWithParam<int> {};

TEST_P(MergeDeaths, BetweenAnyTwoStepsMergeOnceAndLeaveNothing) {
  mortal_merges all{methods[GetParam()]};
  auto steps = all.count_steps();
  // Fewer would mean that they are not seen.
  ASSERT_GT(steps, 40);
  for (int i = 0; i < deaths(); ++i)
    all.merge_and_kill_at(1 + (3 * i + GetParam()) * steps / (3 * deaths()));
  EXPECT_THAT(all.objections(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Method, MergeDeaths, testing::Range(0, 3),
                         [](const auto& info) {
                           return std::string{methods[info.param]};
                         });

} // namespace
