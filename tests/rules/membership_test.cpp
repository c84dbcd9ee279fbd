#include "runtime/rules/membership.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

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

// -- the two sides together ---------------------------------------------------

namespace {

/// Defects that the properties must find.
struct defects {
  bool no_fence = false;
  bool epoch_reuse = false;
  bool stale_renewal = false;
};

/// One hub, a node in two lives (the second one after a crash of `ao-node`, or
/// as a copy of its disk), and a network that delays, reorders and loses.
class world {
public:
  explicit world(milliseconds stop_after, defects with)
      : stop_after_(stop_after), with_(with) {
    greet(0);
  }

  /// One thing happens, then time passes.
  void step(int what, std::size_t which, milliseconds pause) {
    switch (what) {
    case 0:
    case 1:
      if (lives_[what].lease.renewed)
        to_hub_.push_back({what, now_});
      break;
    case 2:
      if (!to_hub_.empty())
        arrive(take(to_hub_, which));
      break;
    case 3:
      if (!to_node_.empty())
        answered(take(to_node_, which));
      break;
    case 4:
      if (!to_hub_.empty())
        take(to_hub_, which);
      break;
    case 5:
      if (!to_node_.empty())
        take(to_node_, which);
      break;
    case 6:
      greet(1);
      break;
    default:
      break;
    }
    // Both sides look at their timers often, never exactly in time.
    for (auto until = now_ + pause; now_ < until;) {
      now_ += std::min<mono_time::duration>(until - now_, 100ms);
      look();
    }
  }

  /// Somebody works under a claim that is another's.
  bool two_work() const { return two_work_; }
  /// A push of an agent of an earlier grant would be taken.
  bool stale_push() const { return stale_push_; }
  /// An earlier life works on long after the later one was greeted.
  bool life_goes_on() const { return life_goes_on_; }

private:
  struct life {
    own_lease lease;
    bool agents = false;
  };
  struct beat {
    int life;
    mono_time sent;
  };

  static beat take(std::vector<beat>& from, std::size_t which) {
    auto i = from.begin() + static_cast<std::ptrdiff_t>(which % from.size());
    auto out = *i;
    from.erase(i);
    return out;
  }

  void greet(int which) {
    auto incarnation = static_cast<std::uint64_t>(which) + 1;
    auto said = hear_hello(hub_, incarnation, times, now_);
    if (said.refused)
      return;
    hub_ = said.next;
    lives_[which].lease = lease_granted(now_);
    // Of what was given away meanwhile nothing is started again.
    if (!regranted_)
      lives_[which].agents = true;
    if (which == 1 && !second_at_)
      second_at_ = now_;
  }

  void arrive(const beat& b) {
    auto incarnation = static_cast<std::uint64_t>(b.life) + 1;
    auto said = hear_beat(
      hub_, with_.stale_renewal ? hub_.incarnation : incarnation, times, now_);
    hub_ = said.next;
    if (!said.refused)
      to_node_.push_back(b);
  }

  void answered(const beat& b) {
    auto& lease = lives_[b.life].lease;
    lease = lease_renewed(lease, b.sent);
  }

  void look() {
    hub_ = look_at(hub_, times, now_).next;
    for (auto& l : lives_) {
      if (with_.no_fence || !l.agents)
        continue;
      // It takes its time to stop them.
      if (has_to_fence(l.lease, stop_after_ + fence_takes - 100ms, now_)) {
        l.agents = false;
        l.lease.fenced = true;
      }
    }
    if (may_regrant(hub_, now_) && !regranted_) {
      regranted_ = true;
      if (!with_.epoch_reuse)
        ++epoch_;
    }
    if (!regranted_)
      agents_epoch_ = epoch_;
    auto works = lives_[0].agents || lives_[1].agents;
    two_work_ = two_work_ || (regranted_ && works);
    // An agent that no fence reached still knows its old epoch.
    stale_push_ = stale_push_ || (regranted_ && agents_epoch_ == epoch_);
    if (second_at_ && now_ > *second_at_ + times.lease)
      life_goes_on_ = life_goes_on_ || lives_[0].agents;
  }

  milliseconds stop_after_;
  defects with_;
  mono_time now_ = start;
  membership hub_;
  life lives_[2];
  std::vector<beat> to_hub_;
  std::vector<beat> to_node_;
  std::optional<mono_time> second_at_;
  bool regranted_ = false;
  std::uint64_t epoch_ = 1;
  std::uint64_t agents_epoch_ = 1;
  bool two_work_ = false;
  bool stale_push_ = false;
  bool life_goes_on_ = false;
};

struct verdicts {
  bool two_work = false;
  bool stale_push = false;
  bool life_goes_on = false;
};

using action = std::tuple<int, std::size_t, int>;

verdicts play(const std::vector<action>& script, milliseconds stop_after,
              defects with) {
  world w{stop_after, with};
  for (const auto& [what, which, pause] : script)
    w.step(what, which, milliseconds{pause});
  return {w.two_work(), w.stale_push(), w.life_goes_on()};
}

rc::Gen<std::vector<action>> any_script() {
  return rc::gen::container<std::vector<action>>(
    rc::gen::tuple(rc::gen::inRange(0, 8), rc::gen::inRange<std::size_t>(0, 8),
                   rc::gen::element(0, 50, 400, 1'000, 2'500, 9'000)));
}

/// A scripted way to each planted defect.
std::vector<action> silence() {
  return {{7, 0, 9'000}, {7, 0, 9'000}, {7, 0, 9'000}};
}

std::vector<action> two_lives() {
  std::vector<action> out{{6, 0, 400}};
  for (int i = 0; i < 20; ++i)
    for (auto a : {action{0, 0, 50}, action{2, 0, 50}, action{3, 0, 1'000},
                   action{1, 0, 50}, action{2, 0, 50}, action{3, 0, 50}})
      out.push_back(a);
  return out;
}

} // namespace

RC_GTEST_PROP(Fencing, NobodyWorksWhenAnotherMay, ()) {
  auto stop_after = milliseconds{*rc::gen::element(2'000, 5'000, 8'000, 9'000)};
  RC_PRE(!fencing_problem(stop_after, times.lease));
  auto seen = play(*any_script(), stop_after, {});
  RC_ASSERT(!seen.two_work);
  RC_ASSERT(!seen.stale_push);
  RC_ASSERT(!seen.life_goes_on);
}

TEST(Fencing, HoldsInTheScriptsThatFindTheDefects) {
  for (const auto& script : {silence(), two_lives()}) {
    auto seen = play(script, 8s, {});
    EXPECT_FALSE(seen.two_work);
    EXPECT_FALSE(seen.stale_push);
    EXPECT_FALSE(seen.life_goes_on);
  }
}

TEST(Fencing, FindsANodeThatDoesNotFence) {
  defects with;
  with.no_fence = true;
  EXPECT_TRUE(play(silence(), 8s, with).two_work);
}

TEST(Fencing, FindsAnEpochThatIsUsedAgain) {
  defects with;
  with.epoch_reuse = true;
  EXPECT_TRUE(play(silence(), 8s, with).stale_push);
}

TEST(Fencing, FindsARenewalByAnEarlierLife) {
  defects with;
  with.stale_renewal = true;
  EXPECT_TRUE(play(two_lives(), 8s, with).life_goes_on);
}

TEST(Fencing, FindsTimesThatBreakTheInequality) {
  ASSERT_TRUE(fencing_problem(9'500ms, times.lease));
  EXPECT_TRUE(play(silence(), 9'500ms, {}).two_work);
}
