#include "runtime/rules/outbox.hpp"
#include "runtime/rules/send_form.hpp"
#include "tests/support/outbox_on_disk.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include <deque>

using namespace ao;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

namespace {

using outcome = send_outcome::kind;

notification row(const std::string& subject, std::uint64_t number) {
  notification n;
  n.version = 1;
  n.channel = "gate";
  n.subject = subject;
  n.number = number;
  n.id = "gate/" + subject + "/" + std::to_string(number);
  n.key = "ao-" + subject + "-" + std::to_string(number) + "-abc";
  n.priority = priority::action;
  n.created_at = wall_time{milliseconds{1'000 + number}};
  n.updated_at = n.created_at;
  return n;
}

class Outbox : public outbox_on_disk {
protected:
  using outbox_on_disk::end;

  const outbox_step& end(const std::string& id, outcome what,
                         const std::string& error = {},
                         std::optional<milliseconds> retry_after = {}) {
    send_outcome o;
    o.what = what;
    o.error = error;
    o.retry_after = retry_after;
    return end(id, std::move(o));
  }

  /// What the step sends.
  std::vector<std::string> sent() const {
    std::vector<std::string> out;
    for (const auto& n : step.sends)
      out.push_back(n.id);
    return out;
  }

  /// Goes to the moment that the machine wants to look at.
  milliseconds wait() {
    auto next = next_look(state, policy, now);
    EXPECT_TRUE(next);
    auto by = next.value_or(now) - now;
    now = next.value_or(now);
    feed(outbox_due{});
    return by;
  }

  std::vector<std::string> kinds() const {
    std::vector<std::string> out;
    for (const auto& e : step.events)
      out.emplace_back(to_string(e.kind));
    return out;
  }
};

} // namespace

TEST_F(Outbox, SendsWhatIsPendingAtOnce) {
  see({row("inc-1", 1)});
  EXPECT_THAT(sent(), ElementsAre("gate/inc-1/1"));
  // That it may have left is on record before it leaves.
  ASSERT_THAT(step.rows, SizeIs(1));
  EXPECT_EQ(step.rows[0].form, form::begun);
  EXPECT_FALSE(next_look(state, policy, now));
  see({row("inc-1", 1)});
  EXPECT_THAT(sent(), IsEmpty());
}

TEST_F(Outbox, PutsTheSuccessOnRecord) {
  see({row("inc-1", 1)});
  send_outcome o;
  o.what = outcome::delivered;
  o.remote = "run-7";
  feed(send_ended{"gate/inc-1/1", o, 0});
  ASSERT_THAT(step.rows, SizeIs(1));
  EXPECT_EQ(step.rows[0].state, notification_state::delivered);
  EXPECT_EQ(step.rows[0].version, 3u);
  EXPECT_EQ(step.rows[0].attempts, 1u);
  EXPECT_EQ(step.rows[0].remote, "run-7");
  ASSERT_THAT(kinds(), ElementsAre("notification_delivered"));
  EXPECT_EQ(step.events[0].subject, "incident:inc-1");
  EXPECT_THAT(step.events[0].data, HasSubstr("run-7"));
  EXPECT_TRUE(state.open.empty());
}

TEST_F(Outbox, KeepsTheOrderWithinACaseOnly) {
  see({row("inc-1", 2), row("inc-1", 1), row("inc-2", 5)});
  EXPECT_THAT(sent(), UnorderedElementsAre("gate/inc-1/1", "gate/inc-2/5"));
  end("gate/inc-1/1", outcome::passing, "HTTP 503");
  EXPECT_THAT(sent(), IsEmpty());
  end("gate/inc-2/5", outcome::accepted);
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_EQ(wait(), 1s);
  EXPECT_THAT(sent(), ElementsAre("gate/inc-1/1"));
  end("gate/inc-1/1", outcome::accepted);
  EXPECT_THAT(sent(), ElementsAre("gate/inc-1/2"));
}

TEST_F(Outbox, GoesOnAfterADeadOne) {
  see({row("inc-1", 1), row("inc-1", 2)});
  end("gate/inc-1/1", outcome::refused, "HTTP 400: no");
  EXPECT_THAT(kinds(), ElementsAre("notification_failed"));
  EXPECT_EQ(step.rows[0].state, notification_state::dead);
  EXPECT_THAT(sent(), ElementsAre("gate/inc-1/2"));
}

TEST_F(Outbox, PausesOneSecondDoublingToFiveMinutes) {
  see({row("inc-1", 1)});
  std::vector<milliseconds> pauses;
  for (int n = 0; n < 11; ++n) {
    end("gate/inc-1/1", outcome::passing, "connection refused");
    pauses.push_back(wait());
  }
  EXPECT_THAT(
    pauses, ElementsAre(1s, 2s, 4s, 8s, 16s, 32s, 64s, 128s, 256s, 300s, 300s));
  EXPECT_THAT(step.alerts, IsEmpty());
}

TEST_F(Outbox, ShortensAPauseAtRandom) {
  policy.jitter = 0.25;
  EXPECT_EQ(retry_pause(policy, 3, 0), 4s);
  EXPECT_EQ(retry_pause(policy, 3, 1), 3s);
  EXPECT_EQ(retry_pause(policy, 40, 0), 5min);
  policy.retry_delay = 0ms;
  policy.retry_max_delay = 0ms;
  EXPECT_GT(retry_pause(policy, 1, 1), 0ms);
}

TEST_F(Outbox, ObeysRetryAfterForThatOneAlone) {
  see({row("inc-1", 1)});
  end("gate/inc-1/1", outcome::passing, "HTTP 503", 40s);
  see({row("inc-2", 1)});
  EXPECT_THAT(sent(), ElementsAre("gate/inc-2/1"));
  end("gate/inc-2/1", outcome::accepted);
  EXPECT_EQ(wait(), 40s);
}

TEST_F(Outbox, RestsWhollyWhenThrottled) {
  see({row("inc-1", 1), row("inc-2", 1)});
  end("gate/inc-1/1", outcome::throttled, "HTTP 429", 60s);
  end("gate/inc-2/1", outcome::accepted);
  see({row("inc-3", 1), row("inc-4", 1)});
  EXPECT_THAT(sent(), IsEmpty());
  restart();
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_EQ(wait(), 60s);
  EXPECT_THAT(step.sends, SizeIs(3));
}

TEST_F(Outbox, NeverRestsLongerThanADay) {
  see({row("inc-1", 1)});
  end("gate/inc-1/1", outcome::throttled, "HTTP 429", 24h * 365);
  EXPECT_EQ(wait(), 24h);
}

TEST_F(Outbox, KeepsEverythingWhenTheChannelIsUnusable) {
  std::vector<notification> rows;
  for (std::uint64_t n = 1; n <= 9; ++n)
    rows.push_back(row("inc-" + std::to_string(n), 1));
  see(rows);
  EXPECT_THAT(step.sends, SizeIs(3));
  auto first = sent();
  end(first[0], outcome::unusable, "HTTP 401");
  EXPECT_THAT(kinds(), ElementsAre("notification_failed"));
  EXPECT_THAT(step.alerts, ElementsAre("HTTP 401"));
  EXPECT_EQ(step.rows[0].state, notification_state::pending);
  end(first[1], outcome::unusable, "HTTP 401");
  EXPECT_THAT(kinds(), IsEmpty());
  EXPECT_THAT(step.alerts, IsEmpty());
  end(first[2], outcome::unusable, "HTTP 401");
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_EQ(state.open.size(), 9u);
  EXPECT_EQ(wait(), 10min);
  EXPECT_THAT(step.sends, SizeIs(1));
  // It works again: the rest follows.
  end(sent()[0], outcome::accepted);
  EXPECT_THAT(step.sends, SizeIs(3));
}

TEST_F(Outbox, TriesAWrongTokenAtMostThreeTimesAMinute) {
  std::vector<notification> rows;
  for (std::uint64_t n = 1; n <= 9; ++n)
    rows.push_back(row("inc-" + std::to_string(n), 1));
  see(rows);
  std::deque<wall_time> tries;
  auto answer = [&] {
    auto ids = sent();
    for (const auto& id : ids) {
      tries.push_back(now);
      end(id, outcome::unusable, "HTTP 401");
    }
  };
  answer();
  for (int n = 0; n < 40; ++n) {
    // With restarts in between, as somebody looks for the reason.
    if (n % 3 == 0) {
      restart();
      answer();
    }
    if (n % 7 == 0) {
      feed(retry_wanted{row("inc-1", 1)});
      EXPECT_FALSE(step.refused);
      answer();
      feed(notification_wanted{
        test_notification("gate", n + 1, priority::info, "x", now)});
      answer();
    }
    wait();
    answer();
  }
  for (std::size_t i = 3; i < tries.size(); ++i)
    EXPECT_GE(tries[i] - tries[i - 3], 1min);
  EXPECT_GT(tries.size(), 20u);
}

TEST_F(Outbox, TellsAPersonOncePerReason) {
  see({row("inc-1", 1), row("inc-1", 2), row("inc-1", 3)});
  end("gate/inc-1/1", outcome::refused, "HTTP 400: unknown channel");
  EXPECT_THAT(step.alerts, SizeIs(1));
  end("gate/inc-1/2", outcome::refused, "HTTP 400: unknown channel");
  EXPECT_THAT(step.alerts, IsEmpty());
  EXPECT_EQ(nlohmann::json::parse(step.events.at(0).data)["alert"], false);
  restart();
  end("gate/inc-1/3", outcome::refused, "HTTP 400: unknown channel");
  EXPECT_THAT(step.alerts, IsEmpty());
  see({row("inc-1", 4), row("inc-1", 5), row("inc-1", 6)});
  end("gate/inc-1/4", outcome::refused, "HTTP 413: too large");
  EXPECT_THAT(step.alerts, SizeIs(1));
  now += 1s;
  end("gate/inc-1/5", outcome::accepted);
  now += 1s;
  restart();
  end("gate/inc-1/6", outcome::refused, "HTTP 400: unknown channel");
  EXPECT_THAT(step.alerts, SizeIs(1));
}

TEST_F(Outbox, SendsTheSameAgainAfterACrash) {
  see({row("inc-1", 1)});
  auto before = step.sends.at(0);
  restart();
  ASSERT_THAT(sent(), ElementsAre("gate/inc-1/1"));
  EXPECT_EQ(step.sends[0].key, before.key);
  EXPECT_EQ(step.sends[0].form, before.form);
  EXPECT_EQ(step.sends[0].text, before.text);
}

TEST_F(Outbox, PausesThoughAnotherOneGoesThrough) {
  see({row("inc-1", 1), row("inc-2", 1), row("inc-3", 1)});
  end("gate/inc-1/1", outcome::throttled, "HTTP 429", 30s);
  end("gate/inc-2/1", outcome::accepted);
  see({row("inc-4", 1)});
  feed(retry_wanted{disk["gate/inc-4/1"]});
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_EQ(wait(), 30s);
  EXPECT_THAT(sent(), UnorderedElementsAre("gate/inc-1/1", "gate/inc-4/1"));
}

TEST_F(Outbox, LearnsOnceHowToSpeak) {
  see({row("inc-1", 1)});
  send_outcome o;
  o.what = outcome::reshape;
  o.error = "HTTP 400: sessionKey is disabled";
  o.form = with_word("", form::no_session_key);
  feed(send_ended{"gate/inc-1/1", o, 0});
  ASSERT_THAT(step.sends, SizeIs(1));
  EXPECT_TRUE(has_word(step.sends[0].form, form::no_session_key));
  EXPECT_EQ(step.sends[0].key, "ao-inc-1-1-abc");
  EXPECT_THAT(step.events, IsEmpty());
  o.what = outcome::accepted;
  o.form = with_word(o.form, form::fresh_session);
  feed(send_ended{"gate/inc-1/1", o, 0});
  // The next one begins so, in this life and the next, a test does not.
  restart();
  see({row("inc-2", 1)});
  EXPECT_EQ(of_channel(step.sends.at(0).form), form::no_session_key);
  feed(notification_wanted{
    test_notification("gate", 1, priority::info, "x", now)});
  EXPECT_EQ(of_channel(step.sends.at(0).form), "");
}

TEST_F(Outbox, DoesNotReshapeForEver) {
  see({row("inc-1", 1)});
  end("gate/inc-1/1", outcome::reshape, "again");
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_EQ(wait(), 1s);
}

TEST_F(Outbox, RetriesADeadOneUnderANewKey) {
  see({row("inc-1", 1)});
  end("gate/inc-1/1", outcome::refused, "HTTP 400");
  feed(retry_wanted{disk.at("gate/inc-1/1")});
  EXPECT_FALSE(step.refused);
  ASSERT_THAT(step.rows, SizeIs(1));
  EXPECT_EQ(step.rows[0].state, notification_state::pending);
  EXPECT_EQ(step.rows[0].attempts, 0u);
  EXPECT_EQ(step.sends.at(0).key, "ao-inc-1-1-abc-r3");
  end("gate/inc-1/1", outcome::refused, "HTTP 400");
  feed(retry_wanted{disk.at("gate/inc-1/1")});
  EXPECT_EQ(step.sends.at(0).key, "ao-inc-1-1-abc-r5");
  // Also one that waits, but not one that was taken.
  end("gate/inc-1/1", outcome::passing, "HTTP 503");
  feed(retry_wanted{disk.at("gate/inc-1/1")});
  EXPECT_THAT(sent(), ElementsAre("gate/inc-1/1"));
  EXPECT_THAT(step.rows, IsEmpty());
  end("gate/inc-1/1", outcome::accepted);
  feed(retry_wanted{disk.at("gate/inc-1/1")});
  ASSERT_TRUE(step.refused);
  EXPECT_EQ(step.refused->code, ec::wrong_state);
}

TEST_F(Outbox, SendsTheUrgentFirst) {
  policy.parallel = 1;
  auto late = row("inc-9", 1);
  late.priority = priority::urgent;
  see({row("inc-1", 1), row("inc-2", 1), late});
  EXPECT_THAT(sent(), ElementsAre("gate/inc-9/1"));
}

TEST_F(Outbox, WaitsAsLongWhenTheClockIsSet) {
  see({row("inc-1", 1)});
  end("gate/inc-1/1", outcome::throttled, "HTTP 429", 60s);
  now -= 5h;
  feed(outbox_clock_set{-5h});
  EXPECT_EQ(wait(), 60s);
  // Also when nobody saw it.
  end("gate/inc-1/1", outcome::passing, "HTTP 503");
  now -= 5h;
  restart();
  EXPECT_LE(wait(), 5min);
}

TEST_F(Outbox, DropsAnAnswerToNothing) {
  feed(send_ended{"gate/inc-1/1", {}, 0});
  EXPECT_THAT(step.dropped, HasSubstr("gate/inc-1/1"));
  EXPECT_THAT(step.rows, IsEmpty());
}

TEST(SendForm, KeepsWordsOnce) {
  auto text = with_word("", form::no_session_key);
  text = with_count(text, form::again, 1);
  text = with_count(text, form::again, 2);
  text = with_word(text, form::no_session_key);
  EXPECT_EQ(text, ".again=2 no-session-key");
  EXPECT_EQ(count_in(text, form::again), 2u);
  EXPECT_EQ(count_in(text, form::parts), 0u);
  EXPECT_TRUE(has_word(text, form::again));
  EXPECT_FALSE(has_word(text, "no-session"));
  EXPECT_EQ(of_channel(text), "no-session-key");
  EXPECT_EQ(count_in("  .again=x ", form::again), 0u);
}

TEST(TestNotification, IsACaseOfItsOwn) {
  auto n = test_notification("gate", 7, priority::urgent, "Hello", {});
  EXPECT_EQ(n.id, "gate/test-7/1");
  EXPECT_EQ(n.text, "[AO URGENT] ao test\nCase test-7\nHello\n");
  EXPECT_THAT(n.key, HasSubstr("ao-test-7-1-"));
}
