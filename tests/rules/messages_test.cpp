#include "runtime/rules/messages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace ao;
using namespace std::chrono_literals;
using testing::HasSubstr;

namespace {

/// A mailbox of which every step is committed at once.
class Mailbox : public testing::Test {
protected:
  Mailbox() {
    row.id = session_id{"app-1"};
    row.version = 1;
    row.task = task_id{"T1"};
    row.epoch = 3;
    row.run = 1;
    row.runtime = runtime_state::alive;
    box.receiver = row;
  }

  const mailbox_step& feed(const mailbox_input& input) {
    step = next_mail(box, input, now);
    box = step.next;
    for (const auto& m : step.rows) {
      EXPECT_EQ(m.version, seen[m.id].version + 1);
      seen[m.id] = m;
    }
    return step;
  }

  const mailbox_step& post(const std::string& id, const std::string& text = "x",
                           message_mode mode = message_mode::turn) {
    message_posted p;
    p.draft.id = message_id{id};
    p.draft.text = text;
    p.draft.sender = "api";
    p.draft.mode = mode;
    return feed(p);
  }

  const mailbox_step& post_until(const std::string& id, wall_time deadline) {
    message_posted p;
    p.draft.id = message_id{id};
    p.draft.text = "x";
    p.draft.deadline = deadline;
    return feed(p);
  }

  /// The session changes.
  const mailbox_step& tell() {
    row.version += 1;
    return feed(receiver_told{row});
  }

  const mailbox_step& tell(runtime_state s) {
    row.runtime = s;
    return tell();
  }

  const mailbox_step& exits(int code, std::uint64_t unread = 0) {
    exit_info e;
    e.run = row.run;
    e.code = code;
    e.failure = code == 0 ? "" : "crash";
    e.cause = "exited";
    e.unread = unread;
    row.exit = e;
    return tell(runtime_state::exited);
  }

  /// The session starts its next run, with `id` as prompt if there is one.
  const mailbox_step& starts(const std::string& id = {}) {
    row.run += 1;
    row.exit.reset();
    row.prompt = message_id{id};
    return tell(runtime_state::starting);
  }

  const mailbox_step& node(const std::string& id, message_state state,
                           bool last = false, run_no run = 0) {
    return feed(delivery_told{message_id{id}, run == 0 ? row.run : run, state,
                              last, "pane", "d"});
  }

  /// Typed and seen.
  void acknowledged(const std::string& id) {
    node(id, message_state::written);
    node(id, message_state::submitted);
    node(id, message_state::acknowledged, true);
  }

  const message& letter(const std::string& id) { return seen[message_id{id}]; }

  message_state state(const std::string& id) { return letter(id).state; }

  template <class T>
  std::vector<T> effects() const {
    std::vector<T> out;
    for (const auto& e : step.effects)
      if (auto x = std::get_if<T>(&e))
        out.push_back(*x);
    return out;
  }

  /// The letter that the step orders to type; empty when there is none.
  std::string ordered() const {
    auto all = effects<deliver_letter>();
    return all.empty() ? "" : all.front().letter.id.text;
  }

  std::string prompted() const {
    auto all = effects<start_with_letter>();
    return all.empty() ? "" : all.front().id.text;
  }

  session row;
  mailbox_state box;
  std::map<message_id, message> seen;
  mailbox_step step;
  wall_time now{milliseconds{1'000'000}};
};

} // namespace

TEST_F(Mailbox, HasALiveAgentTypedToAtOnceAndInOneRun) {
  post("A", "hello");
  EXPECT_EQ(ordered(), "A");
  auto m = effects<deliver_letter>().front().letter;
  EXPECT_EQ(m.run, 1u);
  EXPECT_EQ(m.epoch, 3u);
  EXPECT_EQ(m.text, "hello");
  EXPECT_EQ(step.events.front().kind, event_kind::message_queued);
  acknowledged("A");
  EXPECT_EQ(state("A"), message_state::acknowledged);
  EXPECT_EQ(letter("A").evidence.size(), 4u);
}

TEST_F(Mailbox, DeliversOneAfterTheOther) {
  post("A");
  post("B");
  EXPECT_EQ(ordered(), "");
  node("A", message_state::written);
  EXPECT_EQ(ordered(), "");
  node("A", message_state::submitted);
  EXPECT_EQ(ordered(), "");
  node("A", message_state::submitted, true);
  EXPECT_EQ(ordered(), "B");
  EXPECT_EQ(state("A"), message_state::submitted);
}

TEST_F(Mailbox, WaitsForTheTurnOfABusyAgentUnlessItIsUrgent) {
  row.activity = activity_state::active;
  tell();
  post("A");
  EXPECT_EQ(ordered(), "");
  post("B", "x", message_mode::now);
  EXPECT_EQ(ordered(), "B");
  acknowledged("B");
  EXPECT_EQ(ordered(), "");
  row.activity = activity_state::idle;
  tell();
  EXPECT_EQ(ordered(), "A");
}

TEST_F(Mailbox, StartsAnExitedAgentWithTheMessage) {
  exits(0);
  post("A");
  EXPECT_EQ(prompted(), "A");
  EXPECT_EQ(effects<start_with_letter>().front().run, 1u);
  row.prompt = message_id{"A"};
  tell(runtime_state::queued); // for a slot
  EXPECT_EQ(state("A"), message_state::queued);
  starts("A");
  EXPECT_EQ(state("A"), message_state::written);
  tell(runtime_state::alive);
  EXPECT_EQ(state("A"), message_state::acknowledged);
  EXPECT_EQ(letter("A").run, 2u);
  exits(0);
  EXPECT_EQ(state("A"), message_state::answered);
  EXPECT_TRUE(box.letters.empty());
}

TEST_F(Mailbox, KnowsTheStartOfARunThatWasOverAtOnce) {
  exits(0);
  post("A");
  row.run = 2;
  row.prompt = message_id{"A"};
  exits(0);
  EXPECT_EQ(state("A"), message_state::answered);
}

TEST_F(Mailbox, GivesTheMessageAgainToTheRestartOfARunThatCrashed) {
  exits(0);
  post("A");
  starts("A");
  tell(runtime_state::alive);
  exits(3);
  EXPECT_EQ(state("A"), message_state::acknowledged);
  starts("A");
  tell(runtime_state::alive);
  EXPECT_EQ(letter("A").run, 3u);
  EXPECT_THAT(letter("A").evidence.back().detail, HasSubstr("again"));
  EXPECT_TRUE(effects<deliver_letter>().empty());
  exits(0);
  EXPECT_EQ(state("A"), message_state::answered);
}

TEST_F(Mailbox, TypesIntoTheRunThatWasStartedForSomethingElse) {
  exits(0);
  post("A");
  starts();
  EXPECT_EQ(state("A"), message_state::queued);
  tell(runtime_state::alive);
  EXPECT_EQ(ordered(), "A");
}

TEST_F(Mailbox, WaitsForTheRestartOfACrashedAgent) {
  exits(3);
  post("A");
  EXPECT_EQ(prompted(), "");
  starts();
  tell(runtime_state::alive);
  EXPECT_EQ(ordered(), "A");
}

TEST_F(Mailbox, KeepsWhatWasNotTypedForTheNextRun) {
  post("A");
  exits(0);
  EXPECT_EQ(prompted(), ""); // the node has not said how far it came
  node("A", message_state::queued, true);
  EXPECT_EQ(state("A"), message_state::queued);
  EXPECT_EQ(prompted(), "A");
}

TEST_F(Mailbox, KeepsWhatTheRunNeverRead) {
  post("A", "12345");
  acknowledged("A");
  post("B", "123");
  acknowledged("B");
  exits(0, 4); // B and its Enter
  EXPECT_EQ(state("A"), message_state::answered);
  EXPECT_EQ(state("B"), message_state::queued);
  EXPECT_THAT(letter("B").evidence.back().detail, HasSubstr("without reading"));
  EXPECT_EQ(prompted(), "B");
}

TEST_F(Mailbox, KeepsAllThatTheRunNeverReadAndNoMore) {
  post("A", "12345");
  acknowledged("A");
  post("B", "123");
  acknowledged("B");
  exits(0, 10);
  EXPECT_EQ(state("A"), message_state::queued);
  EXPECT_EQ(state("B"), message_state::queued);
  EXPECT_EQ(prompted(), "A");
}

TEST_F(Mailbox, DoesNotKnowWhatARunReadThatEndedWithoutASignOfIt) {
  post("A");
  node("A", message_state::written);
  node("A", message_state::submitted, true);
  exits(0);
  EXPECT_EQ(state("A"), message_state::unknown);
  EXPECT_TRUE(letter("A").settled);
}

TEST_F(Mailbox, RepeatsWhatSpeaksOfAStateAfterARunThatGaveNoSign) {
  message_posted p;
  p.draft.id = message_id{"A"};
  p.draft.text = "the answer";
  p.draft.topic = "incident:inc-1";
  feed(p);
  node("A", message_state::written);
  node("A", message_state::submitted, true);
  exits(0);
  EXPECT_EQ(state("A"), message_state::queued);
  EXPECT_EQ(prompted(), "A");
}

TEST_F(Mailbox, ShowsWhatNobodyKnowsAndDoesNotRepeatIt) {
  post("A");
  feed(mailbox_recovered{});
  EXPECT_EQ(ordered(), "A");
  node("A", message_state::unknown, true);
  EXPECT_EQ(state("A"), message_state::unknown);
  EXPECT_EQ(step.events.front().kind, event_kind::message_unknown);
  exits(0);
  EXPECT_EQ(prompted(), "");
}

TEST_F(Mailbox, AsksTheNodeAgainAfterSilence) {
  post("A");
  ASSERT_TRUE(next_look(box));
  now = *next_look(box) - 1ms;
  feed(mail_due{});
  EXPECT_EQ(ordered(), "");
  now += 1ms;
  feed(mail_due{});
  EXPECT_EQ(ordered(), "A");
  EXPECT_TRUE(step.rows.empty());
  EXPECT_GT(*next_look(box), now);
}

TEST_F(Mailbox, DropsWordsAboutAnotherRun) {
  post("A");
  node("A", message_state::acknowledged, true, 7);
  EXPECT_FALSE(step.dropped.empty());
  EXPECT_EQ(state("A"), message_state::queued);
  node("B", message_state::acknowledged, true);
  EXPECT_FALSE(step.dropped.empty());
}

TEST_F(Mailbox, PausesAfterTheNodeCouldNotType) {
  post("A");
  node("A", message_state::queued, true);
  EXPECT_EQ(ordered(), "");
  ASSERT_TRUE(next_look(box));
  now = *next_look(box);
  feed(mail_due{});
  EXPECT_EQ(ordered(), "A");
}

TEST_F(Mailbox, ExpiresOnlyWhatWasNotTyped) {
  tell(runtime_state::starting);
  post_until("A", now + 5s);
  post_until("B", now + 6s);
  EXPECT_EQ(*next_look(box), now + 5s);
  now += 5s;
  feed(mail_due{});
  EXPECT_EQ(state("A"), message_state::expired);
  EXPECT_THAT(letter("A").evidence.back().detail, HasSubstr("starting"));
  tell(runtime_state::alive);
  EXPECT_EQ(ordered(), "B");
  now += 1min;
  feed(mail_due{});
  EXPECT_EQ(state("B"), message_state::queued);
}

TEST_F(Mailbox, MovesDeadlinesWithAClockThatIsSet) {
  tell(runtime_state::starting);
  post_until("A", now + 5s);
  for (auto by : {240h, -480h}) {
    now += by;
    feed(clock_set{by});
    EXPECT_EQ(state("A"), message_state::queued);
    EXPECT_EQ(*next_look(box), now + 5s);
  }
  now += 5s;
  feed(mail_due{});
  EXPECT_EQ(state("A"), message_state::expired);
}

TEST_F(Mailbox, WaitsNoLongerWhenTheClockWasSetBackWithoutAHub) {
  tell(runtime_state::starting);
  post_until("A", now + 5s);
  now -= 240h;
  feed(mailbox_recovered{});
  EXPECT_EQ(*next_look(box), now + 5s);
}

TEST_F(Mailbox, SupersedesAWaitingMessageOfItsTopic) {
  tell(runtime_state::starting);
  message_posted p;
  p.draft.topic = "change:app#1";
  p.draft.text = "old";
  p.draft.id = message_id{"A"};
  feed(p);
  p.draft.id = message_id{"B"};
  feed(p);
  EXPECT_EQ(state("A"), message_state::superseded);
  post("C");
  EXPECT_EQ(state("B"), message_state::queued);
  tell(runtime_state::alive);
  EXPECT_EQ(ordered(), "B");
  p.draft.id = message_id{"D"};
  feed(p);
  EXPECT_EQ(state("B"), message_state::queued); // it is being typed
}

TEST_F(Mailbox, RefusesWhatNobodyCouldRead) {
  row.role = session_role::manual;
  tell();
  EXPECT_EQ(post("A").refused->code, ec::wrong_state);
  row.role = session_role::worker;
  row.end = session_end::merged;
  tell(runtime_state::exited);
  EXPECT_EQ(post("A").refused->code, ec::session_closed);
  EXPECT_TRUE(seen.empty());
}

TEST_F(Mailbox, SettlesEverythingWhenTheSessionEnds) {
  post("A");
  acknowledged("A");
  post("B");
  post("C");
  row.end = session_end::killed;
  row.end_reason = "by hand";
  tell(runtime_state::exited);
  EXPECT_EQ(state("A"), message_state::acknowledged);
  EXPECT_EQ(state("B"), message_state::unknown);
  EXPECT_EQ(state("C"), message_state::undeliverable);
  EXPECT_THAT(letter("C").evidence.back().detail, HasSubstr("by hand"));
  EXPECT_TRUE(box.letters.empty());
  EXPECT_FALSE(next_look(box));
}

TEST_F(Mailbox, AsksTheSessionAgainWhenItDidNotStart) {
  exits(0);
  post("A");
  EXPECT_EQ(prompted(), "A");
  ASSERT_TRUE(next_look(box));
  now = *next_look(box);
  feed(mail_due{});
  EXPECT_EQ(prompted(), "A");
}

TEST_F(Mailbox, IgnoresOldNewsOfItsSession) {
  auto old = row;
  tell(runtime_state::exited);
  EXPECT_FALSE(feed(receiver_told{old}).dropped.empty());
  EXPECT_EQ(box.receiver.runtime, runtime_state::exited);
}

TEST_F(Mailbox, IsAnsweredWhenTheNodeSaysThatTheTurnIsComplete) {
  post("A");
  node("A", message_state::answered, true);
  EXPECT_EQ(state("A"), message_state::queued)
    << "nothing shows that it has it";
  acknowledged("A");
  node("A", message_state::answered, true, 7);
  EXPECT_EQ(state("A"), message_state::acknowledged);
  node("A", message_state::answered, true);
  EXPECT_EQ(state("A"), message_state::answered);
  EXPECT_TRUE(letter("A").settled);
}

TEST_F(Mailbox, TellsOnceThatADialogIsInTheWay) {
  post("A", "hello");
  for (int i = 0; i < 3; ++i) {
    feed(delivery_told{message_id{"A"}, row.run, message_state::queued, true,
                       "dialog", "trust?"});
    EXPECT_EQ(step.events.size(), i == 0 ? 1u : 0u);
    EXPECT_EQ(ordered(), "");
    now += 29s;
    feed(mail_due{});
    EXPECT_EQ(ordered(), "");
    now += 1s;
    feed(mail_due{});
    EXPECT_EQ(ordered(), "A");
  }
  EXPECT_EQ(letter("A").evidence.size(), 2u);
  feed(delivery_told{message_id{"A"}, row.run, message_state::queued, true,
                     "dialog", "trust?"});
  // Its end is told by the session.
  tell();
  EXPECT_EQ(ordered(), "A");
}
