#include "runtime/rules/tasks.hpp"
#include "tests/support/shared_row.hpp"

#include <gtest/gtest.h>

using namespace ao;

namespace {

task claimed() {
  task t;
  t.id = task_id{"T1"};
  t.version = 3;
  t.state = task_state::claimed;
  t.session = session_id{"app-1"};
  t.epoch = 2;
  return t;
}

session holder() {
  session s;
  s.id = session_id{"app-1"};
  s.version = 5;
  s.task = task_id{"T1"};
  s.epoch = 2;
  s.run = 1;
  s.runtime = runtime_state::alive;
  return s;
}

change opened() {
  change c;
  c.id = change_id{"app#1"};
  c.version = 1;
  c.number = 1;
  c.task = task_id{"T1"};
  c.session = session_id{"app-1"};
  c.epoch = 2;
  return c;
}

/// The state wished for; nothing when there is no move.
std::optional<task_state> wished(const task_wish& w) {
  auto move = std::get_if<move_task>(&w);
  return move == nullptr ? std::nullopt : std::make_optional(move->to);
}

template <class Input>
bool tells(const task& t, const session& s) {
  auto word = word_to_holder(t, s);
  return word && std::holds_alternative<Input>(*word);
}

} // namespace

TEST(Task, FollowsTheChangeThatWasTakenOver) {
  auto t = claimed();
  t.session = session_id{"app-2"};
  t.epoch = 3;
  t.change = change_id{"app#1"};
  auto s = holder();
  s.id = session_id{"app-2"};
  s.epoch = 3;
  s.change = t.change;
  // The change names its former session for a moment.
  auto c = opened();
  EXPECT_EQ(wished(next_task(t, &s, &c)), task_state::in_review);
  c.state = change_state::merged;
  EXPECT_EQ(wished(next_task(t, &s, &c)), task_state::merged);
  // One of an earlier life of the task says nothing.
  t.change = {};
  EXPECT_EQ(wished(next_task(t, &s, &c)), std::nullopt);
}

TEST(Task, FollowsItsChange) {
  auto t = claimed();
  auto s = holder();
  auto c = opened();
  EXPECT_EQ(wished(next_task(t, &s, nullptr)), std::nullopt);
  EXPECT_EQ(wished(next_task(t, &s, &c)), task_state::in_review);
  t.state = task_state::in_review;
  t.change = c.id;
  EXPECT_EQ(wished(next_task(t, &s, &c)), std::nullopt);
  c.state = change_state::closed;
  EXPECT_EQ(wished(next_task(t, &s, &c)), task_state::claimed);
  c.state = change_state::merged;
  auto w = next_task(t, &s, &c);
  EXPECT_EQ(wished(w), task_state::merged);
  EXPECT_EQ(std::get<move_task>(w).epoch, 2u);
  EXPECT_EQ(std::get<move_task>(w).change, c.id);
}

TEST(Task, FollowsTheEndOfItsSession) {
  auto t = claimed();
  auto s = holder();
  const std::pair<session_end, task_state> ends[] = {
    {session_end::merged, task_state::merged},
    {session_end::done, task_state::done},
    {session_end::killed, task_state::parked},
  };
  for (auto end : ends) {
    s.end = end.first;
    EXPECT_EQ(wished(next_task(t, &s, nullptr)), end.second);
  }
  s.end = session_end::errored;
  auto w = next_task(t, &s, nullptr);
  ASSERT_NE(std::get_if<release_claim>(&w), nullptr);
  EXPECT_EQ(std::get<release_claim>(w).epoch, 2u);
}

TEST(Task, IsParkedWithItsSessionUnlessTheHubParkedIt) {
  auto t = claimed();
  auto s = holder();
  s.runtime = runtime_state::parked;
  EXPECT_EQ(wished(next_task(t, &s, nullptr)), task_state::parked);
  s.resume = resume_reason::hub;
  EXPECT_EQ(wished(next_task(t, &s, nullptr)), std::nullopt);
}

TEST(Task, IgnoresTheWordOfAnOlderEpoch) {
  auto t = claimed();
  auto s = holder();
  s.end = session_end::done;
  s.epoch = 1;
  EXPECT_EQ(next_task(t, &s, nullptr).index(), 0u);
  s = holder();
  s.id = session_id{"app-0"};
  s.end = session_end::done;
  EXPECT_EQ(next_task(t, &s, nullptr).index(), 0u);
}

TEST(Task, WishesNothingThatTheRegistryWouldRefuse) {
  for (int state = 0; state <= 8; ++state)
    for (int end = 0; end <= 4; ++end)
      for (int runtime = 0; runtime <= 6; ++runtime)
        for (int of_change = -1; of_change <= 2; ++of_change) {
          auto t = claimed();
          t.state = static_cast<task_state>(state);
          auto s = holder();
          s.end = static_cast<session_end>(end);
          s.runtime = static_cast<runtime_state>(runtime);
          auto c = opened();
          c.state = static_cast<change_state>(std::max(of_change, 0));
          auto w = next_task(t, &s, of_change < 0 ? nullptr : &c);
          if (auto to = wished(w)) {
            ASSERT_TRUE(*to == t.state || may_move(t.state, *to))
              << to_string(t.state) << " to " << to_string(*to);
          }
        }
}

TEST(Task, IsMergedByAHandAfterItWasParked) {
  auto t = claimed();
  t.state = task_state::parked;
  auto s = holder();
  s.end = session_end::killed;
  auto c = opened();
  EXPECT_EQ(wished(next_task(t, &s, &c)), std::nullopt);
  c.state = change_state::merged;
  EXPECT_EQ(wished(next_task(t, &s, &c)), task_state::merged);
}

TEST(Task, TellsItsHolderToEndWithIt) {
  auto t = claimed();
  auto s = holder();
  EXPECT_FALSE(word_to_holder(t, s));
  t.state = task_state::merged;
  auto word = word_to_holder(t, s);
  ASSERT_TRUE(word);
  EXPECT_EQ(std::get<end_session>(*word).end, session_end::merged);
  t.state = task_state::cancelled;
  EXPECT_EQ(std::get<end_session>(*word_to_holder(t, s)).end,
            session_end::killed);
  t.state = task_state::parked;
  EXPECT_TRUE(tells<park_session>(t, s));
  s.end = session_end::done;
  EXPECT_FALSE(word_to_holder(t, s));
}

TEST(Task, StopsAHolderWhoseClaimIsGone) {
  auto t = claimed();
  auto s = holder();
  t.session = session_id{"app-2"};
  t.epoch = 3;
  EXPECT_TRUE(tells<end_session>(t, s));
  t.session = s.id;
  EXPECT_FALSE(word_to_holder(t, s));
  t = claimed();
  t.state = task_state::ready;
  t.session = {};
  EXPECT_TRUE(tells<park_session>(t, s));
  s.runtime = runtime_state::lost;
  EXPECT_FALSE(word_to_holder(t, s));
}

TEST(TaskView, IgnoresVersionsThatItHas) {
  task_view view{shared(claimed())};
  auto s = holder();
  EXPECT_TRUE(view.tell(shared(s)));
  EXPECT_FALSE(view.tell(shared(s)));
  s.version = 6;
  s.end = session_end::done;
  EXPECT_TRUE(view.tell(shared(s)));
  EXPECT_EQ(wished(view.wish()), task_state::done);
  EXPECT_EQ(wished(view.wish()), task_state::done);
  auto t = claimed();
  EXPECT_FALSE(view.tell(shared(t)));
  t.version = 4;
  t.state = task_state::done;
  EXPECT_TRUE(view.tell(shared(t)));
  EXPECT_EQ(view.wish().index(), 0u);
}

TEST(TaskView, PrefersTheNewerSessionAndTheNewerChange) {
  task_view view{shared(claimed())};
  auto old = holder();
  old.id = session_id{"app-0"};
  old.epoch = 1;
  EXPECT_TRUE(view.tell(shared(old)));
  EXPECT_TRUE(view.tell(shared(holder())));
  old.version = 99;
  EXPECT_FALSE(view.tell(shared(old)));
  auto c = opened();
  EXPECT_TRUE(view.tell(shared(c)));
  EXPECT_EQ(wished(view.wish()), task_state::in_review);
  auto other = holder();
  other.task = task_id{"T2"};
  EXPECT_FALSE(view.tell(shared(other)));
}
