#include "runtime/rules/digest.hpp"
#include "runtime/rules/outbox.hpp"
#include "runtime/rules/quiet_hours.hpp"
#include "tests/support/outbox_on_disk.hpp"

#include <gmock/gmock.h>

#include <map>
#include <set>

using namespace ao;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

namespace {

using outcome = send_outcome::kind;

/// Midnight of a day, UTC.
constexpr wall_time midnight{std::chrono::hours{24 * 20'000}};

class Digest : public outbox_on_disk {
protected:
  Digest() { now = midnight + 12h; }

  void write(const std::string& subject, std::uint64_t number,
             priority p = priority::warning) {
    auto n = fresh(subject, number, p);
    n.text = "Text of " + subject + "/" + std::to_string(number) + "\n";
    see({n});
  }

  using outbox_on_disk::end;

  void end(const std::string& id, outcome what, bool absent = false) {
    send_outcome o;
    o.what = what;
    o.absent = absent;
    end(id, std::move(o));
  }

  void wait_until(wall_time t) {
    for (auto next = next_look(state, policy, now); next && *next <= t;
         next = next_look(state, policy, now)) {
      now = *next;
      feed(outbox_due{});
    }
    now = std::max(now, t);
  }

  std::vector<std::string> ids_sent() {
    std::vector<std::string> out;
    for (const auto& n : std::exchange(ever_sent, {}))
      out.push_back(n.id);
    return out;
  }
};

TEST(QuietHours, AreReadAsTheyAreWritten) {
  auto night = quiet_hours_from("22:00-07:30");
  ASSERT_TRUE(night);
  EXPECT_EQ(night->begin, 22h);
  EXPECT_EQ(night->end, 7h + 30min);
  for (auto bad : {"", "22:00", "22:00-22:00", "24:00-07:00", "22:60-07:00",
                   "2:00-07:00", "22:00-7:00", "22:00 07:00", "22:00-07:00 ",
                   "-1:00-07:00", "aa:bb-cc:dd", "22.00-07.00"})
    EXPECT_FALSE(quiet_hours_from(bad)) << bad;
}

TEST(QuietHours, MayGoOverMidnight) {
  auto night = *quiet_hours_from("22:00-07:00");
  EXPECT_FALSE(is_quiet(night, midnight + 22h - 1ms, 0min));
  EXPECT_TRUE(is_quiet(night, midnight + 22h, 0min));
  EXPECT_TRUE(is_quiet(night, midnight + 3h, 0min));
  EXPECT_FALSE(is_quiet(night, midnight + 7h, 0min));
  EXPECT_EQ(quiet_until(night, midnight + 23h, 0min), midnight + 31h);
  EXPECT_EQ(quiet_until(night, midnight + 3h, 0min), midnight + 7h);
  // By a clock that is two hours ahead.
  EXPECT_TRUE(is_quiet(night, midnight + 20h, 120min));
  EXPECT_FALSE(is_quiet(night, midnight + 5h, 120min));
  EXPECT_EQ(quiet_until(night, midnight + 4h, 120min), midnight + 5h);
}

TEST(QuietHours, MayBeWithinADay) {
  auto noon = *quiet_hours_from("12:00-13:00");
  EXPECT_FALSE(is_quiet(noon, midnight + 11h, 0min));
  EXPECT_TRUE(is_quiet(noon, midnight + 12h + 30min, 0min));
  EXPECT_FALSE(is_quiet(noon, midnight + 13h, 0min));
  // Before 1970 a day has as many hours.
  EXPECT_TRUE(is_quiet(noon, wall_time{-12h}, 0min));
}

TEST_F(Digest, IsMadeOfWhatHasWaitedForTheMorning) {
  policy.quiet_hours = quiet_hours_from("22:00-07:00");
  now = midnight + 23h;
  write("inc-2", 1);
  now += 1h;
  write("inc-1", 1, priority::action);
  write("inc-1", 2, priority::info);
  EXPECT_THAT(ids_sent(), IsEmpty());
  restart();
  wait_until(midnight + 31h - 1ms);
  EXPECT_THAT(ids_sent(), IsEmpty());
  wait_until(midnight + 31h);
  ASSERT_THAT(ever_sent, SizeIs(1));
  EXPECT_EQ(ever_sent[0].id, "gate/digest-1/1");
  EXPECT_EQ(ever_sent[0].priority, priority::action);
  EXPECT_EQ(ever_sent[0].text,
            "[AO ACTION] ao digest\nCase digest-1\n"
            "3 notifications since 2024-10-04T23:00:00.000Z\n\n"
            "Text of inc-2/1\n\nText of inc-1/1\n\nText of inc-1/2\n");
  EXPECT_EQ(disk["gate/inc-1/1"].state, notification_state::pending);
  end("gate/digest-1/1", outcome::delivered);
  for (auto id :
       {"gate/digest-1/1", "gate/inc-1/1", "gate/inc-1/2", "gate/inc-2/1"})
    EXPECT_EQ(disk[id].state, notification_state::delivered) << id;
  EXPECT_THAT(step.events, SizeIs(4));
  EXPECT_FALSE(next_look(state, policy, now));
}

TEST_F(Digest, IsNotMadeOfOne) {
  policy.quiet_hours = quiet_hours_from("22:00-07:00");
  now = midnight + 23h;
  write("inc-1", 1);
  wait_until(midnight + 31h);
  EXPECT_THAT(ids_sent(), ElementsAre("gate/inc-1/1"));
}

TEST_F(Digest, LetsTheUrgentPass) {
  policy.quiet_hours = quiet_hours_from("22:00-07:00");
  policy.digest = 1h;
  now = midnight + 23h;
  write("inc-1", 1, priority::urgent);
  EXPECT_THAT(ids_sent(), ElementsAre("gate/inc-1/1"));
}

TEST_F(Digest, CollectsFromTheFirstOnForItsTime) {
  policy.digest = 30min;
  write("inc-1", 1);
  now += 20min;
  write("inc-2", 1);
  wait_until(midnight + 12h + 29min);
  EXPECT_THAT(ids_sent(), IsEmpty());
  wait_until(midnight + 12h + 30min);
  EXPECT_THAT(ids_sent(), ElementsAre("gate/digest-1/1"));
  // What comes then begins another one.
  write("inc-1", 2);
  wait_until(midnight + 13h - 1ms);
  EXPECT_THAT(ids_sent(), IsEmpty());
  end("gate/digest-1/1", outcome::accepted);
  EXPECT_EQ(disk["gate/inc-1/2"].state, notification_state::pending);
}

TEST_F(Digest, WaitsAsLongWhenTheClockIsSet) {
  policy.digest = 30min;
  write("inc-1", 1);
  write("inc-2", 1);
  now -= 10h;
  feed(outbox_clock_set{-10h});
  wait_until(midnight + 2h + 30min);
  EXPECT_THAT(ids_sent(), ElementsAre("gate/digest-1/1"));
}

TEST_F(Digest, IsHurriedByAPerson) {
  policy.digest = 30min;
  write("inc-1", 1);
  write("inc-2", 1);
  feed(retry_wanted{disk["gate/inc-2/1"]});
  EXPECT_THAT(ids_sent(), ElementsAre("gate/inc-2/1"));
}

TEST_F(Digest, ThatIsRefusedComesAsSingleOnes) {
  policy.digest = 30min;
  write("inc-1", 1);
  write("inc-1", 2);
  wait_until(midnight + 12h + 30min);
  end("gate/digest-1/1", outcome::refused);
  EXPECT_EQ(disk["gate/digest-1/1"].state, notification_state::dead);
  EXPECT_THAT(step.alerts, SizeIs(1));
  ids_sent();
  feed(retry_wanted{disk["gate/digest-1/1"]});
  ASSERT_TRUE(step.refused);
  EXPECT_EQ(step.refused->code, ec::wrong_state);
  restart();
  EXPECT_THAT(ids_sent(), ElementsAre("gate/inc-1/1"));
  end("gate/inc-1/1", outcome::accepted);
  EXPECT_THAT(ids_sent(), ElementsAre("gate/inc-1/2"));
}

TEST_F(Digest, LeavesOutWhatFollowsOneThatWasTried) {
  policy.digest = 30min;
  write("inc-1", 1, priority::urgent);
  end("gate/inc-1/1", outcome::passing);
  write("inc-1", 2);
  write("inc-2", 1);
  write("inc-3", 1);
  ids_sent();
  wait_until(midnight + 12h + 30min);
  EXPECT_EQ(disk["gate/inc-1/2"].digest, "");
  EXPECT_EQ(disk["gate/inc-3/1"].digest, "gate/digest-1/1");
}

TEST_F(Digest, HasNoOtherNumberAfterARestart) {
  policy.digest = 30min;
  for (int n = 1; n <= 2; ++n) {
    write("inc-1", static_cast<std::uint64_t>(n));
    write("inc-2", static_cast<std::uint64_t>(n));
    wait_until(now + 30min);
    auto id = "gate/digest-" + std::to_string(n) + "/1";
    EXPECT_THAT(ids_sent(), ElementsAre(id));
    restart();
    EXPECT_THAT(ids_sent(), ElementsAre(id)) << "with the same bytes";
    end(id, outcome::accepted);
  }
}

TEST_F(Digest, HasPartsThatFit) {
  policy.digest = 30min;
  std::vector<notification> rows;
  for (int n = 0; n < 9; ++n) {
    notification x;
    x.subject = "inc-" + std::to_string(n);
    x.text = std::string(1'500, 'x') + "\n";
    rows.push_back(x);
  }
  auto made = make_digest("gate", 7, rows, now);
  ASSERT_THAT(made.parts, SizeIs(5));
  EXPECT_THAT(made.members, SizeIs(9));
  std::set<std::string> keys;
  for (const auto& part : made.parts) {
    EXPECT_LE(part.text.size(), longest_digest);
    keys.insert(part.key);
  }
  EXPECT_THAT(keys, SizeIs(5));
  EXPECT_EQ(made.members[8].digest, "gate/digest-7/5");
}

// The gateway is down from 23:00 to 07:00; the hub is started anew each hour.
TEST_F(Digest, TellsInTheMorningOnceAndInOrderWhatANightHasBrought) {
  std::vector<std::string> read;
  std::map<std::string, int> tries;
  now = midnight + 23h;
  auto pass = [&](wall_time until, bool up) {
    auto next = now;
    while (next <= until) {
      now = next;
      feed(outbox_due{});
      while (!state.sending.empty()) {
        auto id = *state.sending.begin();
        tries[id] += 1;
        if (up)
          read.push_back(state.open.at(id).text);
        end(id, up ? outcome::accepted : outcome::passing, !up);
        if (!up)
          break;
      }
      next = next_look(state, policy, now).value_or(until + 1ms);
    }
    now = until;
  };
  for (std::uint64_t i = 0; i < 200; ++i) {
    write("inc-" + std::to_string(100 + i / 2), i % 2 + 1,
          i % 2 == 0 ? priority::urgent : priority::info);
    pass(now + 2min, false);
    if (i % 30 == 29)
      restart();
  }
  EXPECT_LE(tries.size(), 5u) << "few of them are tried while nobody is there";
  now = midnight + 31h;
  pass(now + 10min, true);
  EXPECT_TRUE(state.open.empty());
  for (const auto& [id, n] : disk)
    EXPECT_EQ(n.state, notification_state::accepted) << id;
  // Each text is read once; all but the few as a digest, in order.
  std::string all;
  for (const auto& text : read)
    all += text;
  std::size_t last = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    auto text = "Text of inc-" + std::to_string(100 + i / 2) + "/"
      + std::to_string(i % 2 + 1) + "\n";
    auto at = all.find(text);
    ASSERT_NE(at, all.npos) << text;
    EXPECT_EQ(all.find(text, at + 1), all.npos) << text << " twice";
    if (tries.count("gate/inc-" + std::to_string(100 + i / 2) + "/"
                    + std::to_string(i % 2 + 1))
        == 0) {
      EXPECT_GT(at, last) << text;
      last = at;
    }
  }
  EXPECT_LE(read.size(), 12u);
}

} // namespace
