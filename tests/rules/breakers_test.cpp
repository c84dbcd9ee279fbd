#include "runtime/rules/breakers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <csignal>

namespace ao {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

agent_settings agent_of(const std::string& adapter,
                        const std::string& account = {}) {
  agent_settings a;
  a.name = "mine";
  a.adapter = adapter;
  a.account = account;
  if (adapter == "command")
    a.command = {"/opt/agents/fast.sh", "--all"};
  return a;
}

agent_failed failure_of(const std::string& session, const char* reason = "no") {
  return {"codex", project_id{"app"}, session_id{session}, reason};
}

class Breaker : public testing::Test {
protected:
  breaker_step feed(const breaker_input& input) {
    step = next_breaker(entry, input, limits, now, clock);
    entry = step.next;
    return step;
  }

  breaker_step look(std::vector<session_id> held = {},
                    trial_state trial = trial_state::gone,
                    bool more_to_come = false) {
    return feed(breaker_look{std::move(held), more_to_come, trial});
  }

  template <class Effect>
  std::vector<Effect> effects() const {
    std::vector<Effect> out;
    for (const auto& e : step.effects)
      if (auto x = std::get_if<Effect>(&e))
        out.push_back(*x);
    return out;
  }

  std::string said() const {
    std::string out;
    for (const auto& e : step.events)
      out += std::string{to_string(e.kind)} + " ";
    return out;
  }

  const breaker& row() const { return entry.row; }

  breaker_limits limits;
  breaker_entry entry{new_breaker(agent_of("codex", "work"), auth_failure), {}};
  breaker_step step;
  mono_time now{1h};
  wall_time clock{};
  const session_id one{"app-1"};
  const session_id two{"app-2"};
};

TEST(Account, IsTheProgramAndWhoPays) {
  EXPECT_EQ(account_of(agent_of("codex")), "codex");
  EXPECT_EQ(account_of(agent_of("codex", "work")), "codex@work");
  EXPECT_EQ(account_of(agent_of("command")), "mine");
  EXPECT_EQ(account_of(agent_of("command", "a")), "fast.sh@a");
  EXPECT_EQ(breaker_key(agent_of("codex", "work"), "auth"), "codex@work/auth");
}

TEST_F(Breaker, OpensAtTheFirstFailureAndAsksWhy) {
  feed(failure_of("app-1"));
  EXPECT_EQ(row().state, breaker_state::open);
  EXPECT_EQ(row().trips, 1u);
  EXPECT_FALSE(row().alarmed);
  EXPECT_EQ(effects<ask_probe>().size(), 1u);
  EXPECT_EQ(said(), "breaker_opened ");
  feed(failure_of("app-2"));
  EXPECT_FALSE(step.changed);
  EXPECT_EQ(said(), "");
  EXPECT_EQ(row().trips, 1u);
}

TEST_F(Breaker, RaisesItsAlarmWithTheWordsOfTheProbe) {
  feed(failure_of("app-1"));
  feed(probe_answered{false, "auth.json, mode 0000"});
  EXPECT_TRUE(row().alarmed);
  EXPECT_EQ(row().reason, "auth.json, mode 0000");
  EXPECT_EQ(step.again_at, now + 30s);
  EXPECT_THAT(why_held(row()), HasSubstr("auth.json, mode 0000"));
}

TEST_F(Breaker, ProbesOnceEachPause) {
  feed(failure_of("app-1"));
  EXPECT_TRUE(effects<ask_probe>().empty() == false);
  look();
  EXPECT_TRUE(effects<ask_probe>().empty()) << "one is under way";
  feed(probe_answered{false, "no"});
  now += 29s;
  look();
  EXPECT_TRUE(effects<ask_probe>().empty());
  now += 1s;
  look();
  EXPECT_EQ(effects<ask_probe>().size(), 1u);
  feed(probe_answered{false, "no"});
  EXPECT_FALSE(step.changed) << "it knows that";
}

TEST_F(Breaker, ClosesWhenTheProbePassesAndHasAllGoOn) {
  feed(failure_of("app-1"));
  feed(probe_answered{false, "no"});
  now += 30s;
  look();
  feed(probe_answered{true, {}});
  EXPECT_EQ(row().state, breaker_state::closed);
  EXPECT_EQ(effects<relieve>().size(), 1u);
  EXPECT_EQ(said(), "breaker_closed ");
  look({one, two});
  EXPECT_EQ(effects<resume_held>().size(), 2u);
  EXPECT_TRUE(step.again_at) << "one may not have heard it";
  look();
  EXPECT_TRUE(step.effects.empty());
  EXPECT_FALSE(step.again_at);
}

TEST_F(Breaker, TriesOneWhereTheProbeSeesNothing) {
  feed(failure_of("app-1"));
  feed(probe_answered{true, {}});
  EXPECT_EQ(row().state, breaker_state::half_open);
  EXPECT_FALSE(row().alarmed) << "nobody knows yet that it fails";
  look({one, two});
  EXPECT_EQ(row().trial, one);
  ASSERT_EQ(effects<resume_held>().size(), 1u);
  EXPECT_EQ(effects<resume_held>()[0].session, one);
  look({two}, trial_state::waiting);
  EXPECT_EQ(row().trial, one);
  look({two}, trial_state::alive);
  now += 14s;
  look({two}, trial_state::alive);
  EXPECT_EQ(row().state, breaker_state::half_open);
  now += 1s;
  look({two}, trial_state::alive);
  EXPECT_EQ(row().state, breaker_state::closed);
}

TEST_F(Breaker, OpensAgainWhenTheOneThatIsTriedFails) {
  feed(failure_of("app-1"));
  feed(probe_answered{true, {}});
  look({one, two});
  feed(failure_of("app-2"));
  EXPECT_EQ(row().state, breaker_state::half_open) << "it is not tried";
  feed(failure_of("app-1", "401 Unauthorized"));
  EXPECT_EQ(row().state, breaker_state::open);
  EXPECT_TRUE(row().alarmed);
  EXPECT_EQ(row().reason, "401 Unauthorized");
  EXPECT_EQ(row().trips, 1u) << "it has not been closed";
  look({one, two});
  EXPECT_TRUE(effects<ask_probe>().empty());
  now += 30s;
  look({one, two});
  EXPECT_EQ(effects<ask_probe>().size(), 1u);
  feed(probe_answered{true, {}});
  EXPECT_EQ(row().state, breaker_state::half_open) << "the probe is blind";
  feed(try_now{});
  EXPECT_FALSE(step.changed);
}

TEST_F(Breaker, TriesAnotherWhenTheOneIsGone) {
  feed(failure_of("app-1"));
  feed(probe_answered{true, {}});
  look({one, two});
  look({two}, trial_state::gone);
  EXPECT_EQ(row().trial, two);
  look({}, trial_state::gone);
  EXPECT_EQ(row().state, breaker_state::closed) << "nobody waits";
}

TEST_F(Breaker, IsTriedAtOnceWhenAPersonSaysSo) {
  feed(failure_of("app-1"));
  feed(probe_answered{false, "no"});
  feed(try_now{});
  EXPECT_EQ(effects<ask_probe>().size(), 1u);
}

TEST_F(Breaker, OpensWhenThreeSessionsDieOfOneClass) {
  entry.row = new_breaker(agent_of("codex"), "crash");
  feed(failure_of("app-1"));
  feed(failure_of("app-2"));
  feed(failure_of("app-1"));
  EXPECT_EQ(row().state, breaker_state::closed) << "the same one twice";
  now += 2min;
  feed(failure_of("app-3"));
  EXPECT_EQ(row().state, breaker_state::closed) << "the others are long ago";
  feed(failure_of("app-1"));
  feed(failure_of("app-2"));
  EXPECT_EQ(row().state, breaker_state::open);
  EXPECT_EQ(said(), "breaker_opened ");
  EXPECT_TRUE(effects<ask_probe>().empty());
  now += 30s;
  look({one, two});
  EXPECT_EQ(row().state, breaker_state::half_open);
  EXPECT_EQ(row().trial, one);
  look({two}, trial_state::passed);
  EXPECT_EQ(row().state, breaker_state::closed);
  EXPECT_TRUE(effects<relieve>().empty()) << "nobody was told";
}

TEST_F(Breaker, NeverOpensForDeathsWhereThatIsOff) {
  limits.deaths = 0;
  entry.row = new_breaker(agent_of("codex"), "crash");
  for (int i = 0; i < 20; ++i)
    feed(failure_of("app-" + std::to_string(i)));
  EXPECT_EQ(row().state, breaker_state::closed);
}

TEST_F(Breaker, WaitsForOneThatIsDueLater) {
  entry.row = new_breaker(agent_of("codex"), "crash");
  for (const auto* id : {"app-1", "app-2", "app-3"})
    feed(failure_of(id));
  now += 30s;
  look({}, trial_state::gone, true);
  EXPECT_EQ(row().state, breaker_state::half_open);
  EXPECT_TRUE(step.again_at);
}

TEST(FailureOfAccount, TellsOfTheAccountUnlessItHasAnotherCause) {
  exit_info e;
  e.cause = "exited";
  e.code = 1;
  e.failure = "crash";
  EXPECT_TRUE(tells_of_account(e));
  for (auto failure : {"", "killed", "auth", "rate_limited", "overloaded"}) {
    e.failure = failure;
    EXPECT_FALSE(tells_of_account(e)) << failure;
  }
  e.failure = "hang";
  EXPECT_TRUE(tells_of_account(e));
  e.failure = "crash";
  e.cause = "hangup";
  EXPECT_FALSE(tells_of_account(e));
  e.cause = "signalled";
  e.code.reset();
  e.signal = SIGKILL;
  EXPECT_FALSE(tells_of_account(e));
  e.signal = SIGSEGV;
  EXPECT_TRUE(tells_of_account(e));
  e.signal.reset();
  EXPECT_FALSE(tells_of_account(e)) << "nobody has seen its end";
  e.cause = "start_failed";
  EXPECT_TRUE(tells_of_account(e));
}

TEST(HeldByBreaker, AreThoseThatWantTheAccount) {
  breaker b = new_breaker(agent_of("codex"), auth_failure);
  session s;
  s.id = session_id{"app-1"};
  s.runtime = runtime_state::alive;
  EXPECT_FALSE(is_held(b, s)) << "it is closed";
  b.state = breaker_state::open;
  EXPECT_TRUE(is_held(b, s));
  s.runtime = runtime_state::exited;
  s.exit.emplace();
  EXPECT_FALSE(is_held(b, s)) << "its turn is done";
  s.exit->failure = "auth";
  EXPECT_TRUE(is_held(b, s));
  EXPECT_TRUE(lost_its_login(s));
  b.trial = s.id;
  EXPECT_FALSE(is_held(b, s)) << "it is tried";
  b.trial = {};
  s.runtime = runtime_state::parked;
  EXPECT_FALSE(is_held(b, s));
  s.runtime = runtime_state::queued;
  s.end = session_end::killed;
  EXPECT_FALSE(is_held(b, s));
}

// -- through any history ------------------------------------------------------

/// The inputs that there are.
std::vector<breaker_input> all_inputs() {
  session_id one{"app-1"};
  std::vector<breaker_input> out{failure_of("app-1"),
                                 failure_of("app-2"),
                                 failure_of("app-3"),
                                 probe_answered{true, {}},
                                 probe_answered{false, "no"},
                                 try_now{},
                                 breaker_look{},
                                 breaker_look{{one}, false},
                                 breaker_look{{}, true}};
  for (auto trial : {trial_state::gone, trial_state::waiting,
                     trial_state::alive, trial_state::passed})
    out.emplace_back(breaker_look{{one, session_id{"app-2"}}, false, trial});
  return out;
}

/// What holds of every step.
std::string wrong_with(const breaker_entry& before, const breaker_step& step) {
  const auto& a = before.row;
  const auto& b = step.next.row;
  if (b.version != a.version + (step.changed ? 1 : 0))
    return "version";
  if (!step.changed && !step.events.empty())
    return "an event without its row";
  if (a.state != b.state && step.events.empty()
      && b.state != breaker_state::half_open)
    return "a move that nobody hears of";
  if (b.trips != a.trips
      && (a.state != breaker_state::closed || b.trips != a.trips + 1))
    return "trips more than once";
  if (b.state != breaker_state::half_open && !b.trial.empty())
    return "one is tried though it is not half open";
  if (b.state == breaker_state::open && !step.next.memory.probing
      && !step.next.memory.next_try)
    return "nothing will ever close it";
  std::size_t resumed = 0;
  for (const auto& e : step.effects)
    resumed += std::holds_alternative<resume_held>(e);
  if (b.state == breaker_state::open && resumed > 0)
    return "goes on while it is open";
  if (b.state == breaker_state::half_open && resumed > 1)
    return "more than one is tried";
  return {};
}

TEST(BreakerTable, DefinesEveryInputInEveryState) {
  for (std::string_view failure : {"auth", "crash"})
    for (auto state :
         {breaker_state::closed, breaker_state::open, breaker_state::half_open})
      for (auto trial : {"", "app-1"})
        for (auto flags = 0; flags < 8; ++flags)
          for (const auto& in : all_inputs()) {
            if (state != breaker_state::half_open && *trial != '\0')
              continue;
            breaker_entry entry{new_breaker(agent_of("codex"), failure), {}};
            entry.row.state = state;
            entry.row.trial = session_id{trial};
            entry.row.blind = (flags & 1) != 0;
            entry.row.alarmed = (flags & 2) != 0;
            entry.memory.probing = (flags & 4) != 0;
            if (state == breaker_state::open)
              entry.memory.next_try = mono_time{1h};
            auto step = next_breaker(entry, in, {}, mono_time{1h}, {});
            EXPECT_EQ(wrong_with(entry, step), "")
              << failure << " " << to_string(state) << " " << in.index();
          }
}

RC_GTEST_PROP(BreakerProperty, HoldsThroughAnyHistory, ()) {
  auto auth = *rc::gen::arbitrary<bool>();
  breaker_entry entry{new_breaker(agent_of("codex"), auth ? "auth" : "crash"),
                      {}};
  auto picks = *rc::gen::container<std::vector<std::pair<int, int>>>(
    rc::gen::pair(rc::gen::inRange(0, 13), rc::gen::inRange(0, 40)));
  mono_time now{1h};
  auto inputs = all_inputs();
  for (const auto& [which, seconds] : picks) {
    now += std::chrono::seconds{seconds};
    auto step
      = next_breaker(entry, inputs.at(static_cast<std::size_t>(which)), {}, now,
                     wall_time{std::chrono::duration_cast<milliseconds>(
                       now.time_since_epoch())});
    RC_ASSERT(wrong_with(entry, step) == "");
    entry = step.next;
    // After a crash only the row is left.
    if (seconds == 0)
      entry.memory = {};
  }
}

/// Whatever has happened: a login that works closes it, and nobody stays held.
RC_GTEST_PROP(BreakerProperty, HealsWhenTheLoginWorks, ()) {
  breaker_entry entry{new_breaker(agent_of("codex"), auth_failure), {}};
  auto picks = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 13));
  mono_time now{1h};
  auto inputs = all_inputs();
  auto feed = [&](const breaker_input& in) {
    auto step = next_breaker(entry, in, {}, now, {});
    entry = step.next;
    return step;
  };
  for (auto which : picks)
    feed(inputs.at(static_cast<std::size_t>(which)));
  entry.memory = {};
  for (int i = 0; i < 8 && holds(entry.row); ++i) {
    now += 1min;
    auto step = feed(breaker_look{
      {session_id{"app-1"}},
      false,
      entry.row.trial.empty() ? trial_state::gone : trial_state::alive});
    for (const auto& e : step.effects)
      if (std::holds_alternative<ask_probe>(e))
        feed(probe_answered{true, {}});
  }
  RC_ASSERT(!holds(entry.row));
  RC_ASSERT(!feed(breaker_look{{session_id{"app-1"}}}).effects.empty());
}

} // namespace
} // namespace ao
