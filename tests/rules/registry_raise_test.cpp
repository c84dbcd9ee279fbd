#include "runtime/rules/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace ao;
using testing::HasSubstr;

namespace {

const wall_time now{milliseconds{1000}};

/// A registry whose every write is committed at once, and a node that has seen
/// more than it.
class Raise : public testing::Test {
protected:
  template <class Request>
  registry_decision commit(const Request& request) {
    auto d = book.decide(request, now);
    EXPECT_TRUE(d) << (d ? "" : to_string(d.error()));
    if (!d)
      return {};
    (void)book.adopt(*d);
    return *d;
  }

  task_id add() {
    add_task x;
    x.project = project_id{"app"};
    x.title = "Do it";
    return std::get<tasks_added>(commit(x).answer).tasks.at(0).id;
  }

  session_opened open(const task_id& id) {
    open_session x;
    x.task = id;
    x.prefix = "app";
    return std::get<session_opened>(commit(x).answer);
  }

  registry_decision
  see(std::vector<std::pair<task_id, epoch_no>> epochs,
      std::vector<std::pair<std::string, std::uint64_t>> sessions = {}) {
    return commit(raise_numbers{node_name{"n1"}, epochs, sessions});
  }

  registry_book book;
};

TEST_F(Raise, DoesNothingWhereTheRecordsAreComplete) {
  auto id = add();
  (void)open(id);
  auto d = see({{id, 1}}, {{"app", 1}});
  EXPECT_TRUE(d.empty());
  EXPECT_TRUE(d.reserve.empty());
  EXPECT_EQ(std::get<numbers_raised>(d.answer).count, 0u);
}

TEST_F(Raise, GoesOnAboveTheEpochThatWasSeen) {
  auto id = add();
  auto d = see({{id, 7}});
  EXPECT_EQ(std::get<numbers_raised>(d.answer).count, 1u);
  ASSERT_EQ(d.write.events.size(), 1u);
  EXPECT_EQ(d.write.events[0].kind, event_kind::numbers_raised);
  EXPECT_EQ(d.write.events[0].subject, "node:n1");
  EXPECT_THAT(d.write.events[0].data, HasSubstr("T1 at epoch 7 (0 is known)"));
  EXPECT_EQ(open(id).claim.epoch, 8u);
}

TEST_F(Raise, GivesBackAClaimThatWasLostSince) {
  auto id = add();
  (void)open(id);
  (void)see({{id, 3}});
  const auto* t = book.find_task(id.text);
  EXPECT_EQ(t->state, task_state::ready);
  EXPECT_TRUE(t->session.empty());
  EXPECT_FALSE(book.find_claim(id.text)->held);
  EXPECT_EQ(open(id).claim.epoch, 4u);
}

TEST_F(Raise, GivesNoNumberOfASessionOrTaskTwice) {
  auto id = add();
  (void)see({{task_id{"T9"}, 2}}, {{"app", 12}, {"web", 3}});
  EXPECT_EQ(open(id).session.id.text, "app-13");
  EXPECT_EQ(add().text, "T10");
}

TEST_F(Raise, WaitsForADecisionUnderWay) {
  auto id = add();
  open_session x;
  x.task = id;
  x.prefix = "app";
  auto under_way = book.decide(x, now);
  ASSERT_TRUE(under_way);
  auto d = book.decide(raise_numbers{node_name{"n1"}, {{id, 7}}, {}}, now);
  ASSERT_FALSE(d);
  EXPECT_EQ(d.error().code, ec::request_in_flight);
}

RC_GTEST_FIXTURE_PROP(Raise, NeverGrantsWhatWasSeen, ()) {
  book = registry_book{};
  auto id = add();
  epoch_no highest = 0;
  const auto steps = *rc::gen::container<std::vector<std::uint8_t>>(
    rc::gen::inRange<std::uint8_t>(0, 20));
  for (auto seen : steps) {
    (void)see({{id, seen}});
    highest = std::max<epoch_no>(highest, seen);
    if (auto c = book.find_claim(id.text); c != nullptr && c->held)
      (void)commit(release_claim{id.text, c->epoch, "over", false});
    auto granted = open(id).claim.epoch;
    RC_ASSERT(granted > highest);
    highest = granted;
  }
}

} // namespace
