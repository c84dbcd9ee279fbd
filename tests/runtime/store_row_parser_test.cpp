#include "messages/json.hpp"
#include "runtime/store/row_parser.hpp"
#include "tests/support/store_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace ao;
using namespace ao::test;
using testing::HasSubstr;

namespace {

/// Enough for two threads: some hundred batches.
constexpr std::size_t many = 20'000;

task task_of(std::size_t n) {
  auto t = task_row("T" + std::to_string(n), 1);
  t.body = std::string(n % 700, 'x');
  return t;
}

} // namespace

TEST(RowParser, KeepsManyRowsInTheirOrder) {
  row_parser parser;
  for (std::size_t n = 1; n <= many; ++n) {
    auto t = task_of(n);
    parser.add(table::tasks, t.id.text, dump(t));
    if (n % 3 == 0)
      parser.add(table::claims, t.id.text,
                 dump(claim_row(t.id.text, 1, n, true)));
  }
  auto rows = parser.finish();
  ASSERT_TRUE(rows) << to_string(rows.error());
  ASSERT_EQ(rows->tasks.size(), many);
  ASSERT_EQ(rows->claims.size(), many / 3);
  for (std::size_t n = 1; n <= many; ++n)
    ASSERT_EQ(dump(rows->tasks[n - 1]), dump(task_of(n)));
  for (std::size_t n = 3; n <= many; n += 3)
    ASSERT_EQ(rows->claims[n / 3 - 1].epoch, n);
}

TEST(RowParser, NamesTheFirstOfManyWrongRows) {
  row_parser parser;
  for (std::size_t n = 1; n <= many && !parser.failed(); ++n) {
    auto t = task_of(n);
    auto wrong = n == 9'000 || n > 9'001;
    parser.add(table::tasks, t.id.text,
               wrong ? R"({"priority":"x"})" : dump(t));
  }
  auto rows = parser.finish();
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, ec::store_failed);
  EXPECT_THAT(rows.error().context, HasSubstr("row T9000 of tasks"));
}

TEST(RowParser, EndsWithRowsThatNobodyWants) {
  row_parser parser;
  for (std::size_t n = 1; n <= many; ++n)
    parser.add(table::tasks, "T1", dump(task_of(n)));
}

TEST(RowList, HasRowsOfItsOwnWhenCopied) {
  row_list<task> first;
  first.push_back(task_row("T1", 1, "old"));
  auto second = first;
  second.back().title = "new";
  EXPECT_EQ(first.at(0).title, "old");
  EXPECT_EQ(second.at(0).title, "new");
  first.append(std::move(second));
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[1].title, "new");
}
