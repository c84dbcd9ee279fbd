#include "runtime/rules/overlap.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

using namespace ao;

namespace {

bool nothing_is_common(const std::string&) {
  return false;
}

line_overlap between(const std::vector<hunk>& a, const std::vector<hunk>& b) {
  return compare(line_ranges{a}, line_ranges{b}, nothing_is_common);
}

bool suspected(const std::vector<hunk>& a, const std::vector<hunk>& b) {
  return compare(line_ranges{a}, line_ranges{b}, is_common_file).ratio
    >= overlap_suspected_from;
}

std::vector<hunk> any_hunks() {
  std::vector<hunk> out;
  for (auto n = *rc::gen::inRange(0, 6); n > 0; --n)
    out.push_back({*rc::gen::element<std::string>("a.c", "b.c", "go.sum"),
                   *rc::gen::inRange<std::uint64_t>(0, 30),
                   *rc::gen::inRange<std::uint64_t>(0, 6)});
  return out;
}

} // namespace

TEST(Overlap, IsOfLinesNotOfFiles) {
  EXPECT_EQ(between({{"a.c", 10, 5}}, {{"b.c", 10, 5}}).ratio, 0);
  EXPECT_EQ(between({{"a.c", 10, 5}}, {{"a.c", 15, 5}}).ratio, 0);
  EXPECT_EQ(between({{"a.c", 10, 5}}, {{"a.c", 14, 1}}).ratio, 1);
  EXPECT_EQ(between({{"a.c", 10, 5}}, {{"a.c", 1, 100}}).ratio, 1);
  EXPECT_EQ(between({}, {{"a.c", 1, 1}}).ratio, 0);
  EXPECT_EQ(between({}, {}).ratio, 0);
}

TEST(Overlap, KnowsWhereAnInsertionIs) {
  // Behind line 10: between 10 and 11.
  EXPECT_EQ(between({{"a.c", 10, 0}}, {{"a.c", 10, 1}}).ratio, 0);
  EXPECT_EQ(between({{"a.c", 10, 0}}, {{"a.c", 11, 1}}).ratio, 0);
  EXPECT_EQ(between({{"a.c", 10, 0}}, {{"a.c", 10, 2}}).ratio, 1);
  EXPECT_EQ(between({{"a.c", 10, 0}}, {{"a.c", 11, 0}}).ratio, 0);
  EXPECT_EQ(between({{"a.c", 10, 0}}, {{"a.c", 10, 0}}).ratio, 0.5);
  // Both make the same file.
  EXPECT_EQ(between({{"new.c", 0, 0}}, {{"new.c", 0, 0}}).ratio, 0.5);
}

TEST(Overlap, IsMeasuredOnTheSmallerWork) {
  auto how = between({{"a.c", 10, 2}},
                     {{"a.c", 11, 4}, {"a.c", 90, 4}, {"b.c", 1, 1}});
  EXPECT_EQ(how.ratio, 1);
  EXPECT_EQ(how.reason, "both change the same lines in 1 of 1 place, in a.c");
  auto wide = between({{"a.c", 10, 2}, {"b.c", 4, 2}, {"c.c", 7, 1}},
                      {{"a.c", 10, 2}, {"b.c", 4, 2}, {"d.c", 7, 1}});
  EXPECT_DOUBLE_EQ(wide.ratio, 2.0 / 3);
  EXPECT_EQ(wide.reason,
            "both change the same lines in 2 of 3 places, in a.c "
            "and 1 other file");
}

TEST(Overlap, OfFilesThatEverybodyTouchesCountsForNothing) {
  for (const auto* path :
       {"CHANGELOG.md", "docs/Changes.txt", "package-lock.json",
        "web/yarn.lock", "Cargo.lock", "go.sum", "NEWS"}) {
    EXPECT_TRUE(is_common_file(path)) << path;
    EXPECT_FALSE(suspected({{path, 1, 3}}, {{path, 1, 3}})) << path;
    EXPECT_FALSE(
      suspected({{path, 1, 3}, {"a.c", 1, 1}}, {{path, 1, 3}, {"b.c", 1, 1}}))
      << path;
    EXPECT_TRUE(
      suspected({{path, 1, 3}, {"a.c", 1, 1}}, {{path, 1, 3}, {"a.c", 1, 1}}))
      << path;
  }
  for (const auto* path : {"src/newsletter.c", "lock.c", "changelog/read.c"})
    EXPECT_FALSE(is_common_file(path)) << path;
}

TEST(Overlap, OfOneListWhereBothAddALineIsNotEnough) {
  // Each registers its own command and writes its own file.
  EXPECT_FALSE(suspected({{"table.c", 40, 0}, {"one.c", 0, 0}},
                         {{"table.c", 40, 0}, {"two.c", 0, 0}}));
}

RC_GTEST_PROP(Overlap, IsSymmetricAndWithinBounds, ()) {
  line_ranges a{any_hunks()};
  line_ranges b{any_hunks()};
  auto there = compare(a, b, is_common_file);
  auto back = compare(b, a, is_common_file);
  RC_ASSERT(there.ratio == back.ratio);
  RC_ASSERT(there.ratio >= 0.0 && there.ratio <= 1.0);
  RC_ASSERT((there.ratio > 0) == !there.reason.empty());
}

RC_GTEST_PROP(Overlap, OfWorkWithItselfIsSuspected, ()) {
  auto hunks = any_hunks();
  line_ranges a{hunks};
  auto own = std::any_of(hunks.begin(), hunks.end(),
                         [](const hunk& h) { return !is_common_file(h.path); });
  RC_ASSERT((compare(a, a, is_common_file).ratio >= overlap_suspected_from)
            == own);
}
