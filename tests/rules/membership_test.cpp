#include "runtime/rules/membership.hpp"

#include <gtest/gtest.h>

using namespace ao;
using namespace std::chrono_literals;

namespace {

const mono_time start{1h};
const cluster_times times{};

membership greeted(std::uint64_t incarnation = 1, mono_time at = start) {
  return hear_hello({}, incarnation, times, at).next;
}

} // namespace

TEST(Membership, GoesFromSilenceToSuspectToLost) {
  auto m = greeted();
  EXPECT_EQ(m.link, node_link::alive);
  auto step = look_at(m, times, start + 2'999ms);
  EXPECT_EQ(step.news, membership_news::none);
  EXPECT_EQ(step.look_at, start + 3s);
  step = look_at(m, times, start + 3s);
  EXPECT_EQ(step.news, membership_news::suspect);
  EXPECT_EQ(step.look_at, start + 8s);
  step = look_at(step.next, times, start + 8s);
  EXPECT_EQ(step.news, membership_news::lost);
  // What it holds is still its own for a while.
  EXPECT_FALSE(may_regrant(step.next, start + 9'999ms));
  EXPECT_EQ(step.look_at, start + 10s);
  EXPECT_TRUE(may_regrant(step.next, start + 10s));
  step = look_at(step.next, times, start + 10s);
  EXPECT_EQ(step.news, membership_news::none);
  EXPECT_EQ(step.look_at, std::nullopt);
}

TEST(Membership, TellsLossOnceAlsoWhenNobodyLookedInBetween) {
  auto step = look_at(greeted(), times, start + 1h);
  EXPECT_EQ(step.news, membership_news::lost);
  EXPECT_EQ(look_at(step.next, times, start + 2h).news, membership_news::none);
}

TEST(Membership, IsNotLostByPausesBelowTheLimit) {
  auto m = greeted();
  auto now = start;
  for (int i = 0; i < 100; ++i) {
    now += 7'999ms;
    auto seen = look_at(m, times, now);
    EXPECT_NE(seen.next.link, node_link::lost);
    auto step = hear_beat(seen.next, 1, times, now);
    ASSERT_FALSE(step.refused);
    EXPECT_EQ(step.news, membership_news::returned);
    m = step.next;
  }
}

TEST(Membership, SuspectsAtOnceWhenTheConnectionEnds) {
  auto step = hear_close(greeted(), times, start + 10ms);
  EXPECT_EQ(step.news, membership_news::suspect);
  EXPECT_EQ(step.look_at, start + 8s);
  EXPECT_EQ(hear_close(step.next, times, start + 20ms).news,
            membership_news::none);
}

TEST(Membership, HearsNoEarlierLife) {
  auto m = greeted(3);
  EXPECT_EQ(hear_hello(m, 2, times, start).refused->code,
            ec::stale_incarnation);
  EXPECT_EQ(hear_beat(m, 2, times, start).refused->code, ec::stale_incarnation);
  EXPECT_EQ(hear_leave(m, 2, start).refused->code, ec::stale_incarnation);
  // The same life may dial again, the next one too.
  EXPECT_FALSE(hear_hello(m, 3, times, start).refused);
  EXPECT_FALSE(hear_hello(m, 4, times, start).refused);
}

TEST(Membership, TakesNoBeatOfOneThatIsLostLeftOrUnknown) {
  EXPECT_EQ(hear_beat({}, 0, times, start).refused->code, ec::wrong_state);
  auto lost = look_at(greeted(), times, start + 9s).next;
  EXPECT_EQ(hear_beat(lost, 1, times, start + 9s).refused->code,
            ec::wrong_state);
  auto left = hear_leave(greeted(), 1, start).next;
  EXPECT_EQ(hear_beat(left, 1, times, start).refused->code, ec::wrong_state);
  auto back = hear_hello(lost, 1, times, start + 20s);
  EXPECT_EQ(back.news, membership_news::returned);
  EXPECT_FALSE(may_regrant(back.next, start + 1h));
}

TEST(Membership, LeavesTheWorkOfOneThatHasLeftAlone) {
  auto step = hear_leave(greeted(), 1, start + 1s);
  EXPECT_EQ(step.news, membership_news::left);
  EXPECT_EQ(step.look_at, std::nullopt);
  EXPECT_FALSE(may_regrant(step.next, start + 24h));
}

TEST(Membership, GivesEverybodyAFullPeriodAfterAStart) {
  for (auto link : {node_link::alive, node_link::suspect, node_link::lost}) {
    cluster_node row;
    row.link = link;
    row.incarnation = 7;
    auto m = after_start(row, times, start);
    EXPECT_FALSE(may_regrant(m, start + 9'999ms)) << to_string(link);
    EXPECT_EQ(hear_hello(m, 6, times, start).refused->code,
              ec::stale_incarnation);
    auto end = look_at(m, times, start + 10s).next;
    EXPECT_TRUE(may_regrant(end, start + 10s)) << to_string(link);
  }
  cluster_node fresh;
  EXPECT_FALSE(may_regrant(after_start(fresh, times, start), start + 24h));
}

TEST(Fencing, IsProvenByTheConfiguredTimes) {
  EXPECT_EQ(fencing_problem(8s, 10s), std::nullopt);
  EXPECT_EQ(fencing_problem(9s, 10s), std::nullopt);
  auto why = fencing_problem(9'001ms, 10s);
  ASSERT_TRUE(why);
  EXPECT_EQ(*why,
            "stopOnClientAfter 9001ms + 1s to stop = 10001ms, which is "
            "more than cluster.lease 10s: a node could still work when "
            "its tasks are given away");
}

TEST(Fencing, IsNotUndoneByALateAnswer) {
  auto lease = lease_granted(start);
  EXPECT_FALSE(has_to_fence(lease, 8s, start + 7'999ms));
  EXPECT_TRUE(has_to_fence(lease, 8s, start + 8s));
  lease.fenced = true;
  EXPECT_TRUE(has_to_fence(lease_renewed(lease, start + 7s), 8s, start + 8s));
  EXPECT_TRUE(has_to_fence({}, 8s, start));
}
