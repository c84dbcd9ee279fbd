#include "runtime/api/suspects.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ao::api {
namespace {

task task_row(const std::string& id, const std::string& title,
              std::vector<suspicion> suspects = {}) {
  task t;
  t.id = task_id{id};
  t.version = 1;
  t.title = title;
  t.session = session_id{"app-" + id.substr(1)};
  t.suspects = std::move(suspects);
  return t;
}

suspicion as(const std::string& other, bool hold = false) {
  suspicion s;
  s.other = task_id{other};
  s.title = "as it was called";
  s.score = 83;
  s.reason = "titles share 5 of 6 words";
  s.hold = hold;
  return s;
}

void load(row_view& rows, std::vector<task> tasks) {
  store_rows all;
  all.tasks = std::move(tasks);
  rows.load(std::move(all), {}, 0);
}

bool everything(const task&) {
  return true;
}

TEST(ApiSuspects, AreShownByBothSides) {
  row_view rows;
  auto earlier = task_row("T1", "First");
  auto later = task_row("T2", "Second", {as("T1", true)});
  later.state = task_state::blocked;
  load(rows, {earlier, later, task_row("T3", "Third")});
  json facts{
    {"score", 0.83}, {"reason", "titles share 5 of 6 words"}, {"held", true}};
  json of_later = facts;
  of_later.update({{"task", "T1"},
                   {"title", "First"},
                   {"state", "ready"},
                   {"session", "app-1"}});
  json of_earlier = facts;
  of_earlier.update({{"task", "T2"},
                     {"title", "Second"},
                     {"state", "blocked"},
                     {"session", "app-2"}});
  EXPECT_EQ(suspects_of(rows, later, true), json::array({of_later}));
  EXPECT_EQ(suspects_of(rows, earlier, true), json::array({of_earlier}));
  EXPECT_EQ(suspects_of(rows, task_row("T3", "Third"), false), json::array());
  json pair = facts;
  pair.update({{"task", "T2"},
               {"title", "Second"},
               {"session", "app-2"},
               {"other", "T1"},
               {"otherTitle", "First"},
               {"otherSession", "app-1"}});
  EXPECT_EQ(suspected_pairs(rows, everything), json::array({pair}));
  EXPECT_EQ(suspected_pairs(rows, [](const task&) { return false; }),
            json::array());
}

TEST(ApiSuspects, OfClosedTasksArePast) {
  row_view rows;
  auto earlier = task_row("T1", "First");
  earlier.state = task_state::merged;
  auto later = task_row("T2", "Second", {as("T1", true), as("T9")});
  load(rows, {earlier, later});
  EXPECT_EQ(suspects_of(rows, later, true), json::array());
  EXPECT_EQ(suspects_of(rows, earlier, true), json::array());
  EXPECT_EQ(suspected_pairs(rows, everything), json::array());
  // The past is still told, but nothing is held; T9 was never born.
  auto past = suspects_of(rows, later, false);
  ASSERT_EQ(past.size(), 1u) << past;
  EXPECT_EQ(past[0]["state"], "merged");
  EXPECT_EQ(past[0]["held"], false);
  EXPECT_EQ(suspects_of(rows, earlier, false).size(), 1u);
}

TEST(ApiSuspects, AreHeldOnlyWhileTheTaskWaits) {
  row_view rows;
  auto later = task_row("T2", "Second", {as("T1", true)});
  later.state = task_state::claimed;
  load(rows, {task_row("T1", "First"), later});
  EXPECT_EQ(suspects_of(rows, later, true)[0]["held"], false);
}

} // namespace
} // namespace ao::api
