#include "runtime/rules/blast_radius.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ao {
namespace {

using namespace std::chrono_literals;

class BlastRadius : public testing::Test {
protected:
  static std::vector<session_id> sessions(int from, int to) {
    std::vector<session_id> out;
    for (int i = from; i <= to; ++i)
      out.push_back(session_id{"app-" + std::to_string(i)});
    return out;
  }

  blast_step look(std::vector<session_id> died, std::vector<session_id> alive) {
    auto step = next_blast(state, {std::move(died), std::move(alive)}, {}, now);
    state = step.next;
    return step;
  }

  std::string hold(int i, bool away = false) {
    return hold_restart(state, session_id{"app-" + std::to_string(i)}, away);
  }

  blast_state state;
  mono_time now{1h};
};

TEST_F(BlastRadius, LetsFewDeathsRestart) {
  EXPECT_EQ(look(sessions(1, 4), {}).said, "");
  EXPECT_EQ(hold(1), "");
}

TEST_F(BlastRadius, LetsAMinorityRestart) {
  EXPECT_EQ(look(sessions(1, 5), sessions(6, 10)).said, "");
  EXPECT_EQ(hold(1), "");
}

TEST_F(BlastRadius, TriesOneWhenMostDieAtOnce) {
  look(sessions(1, 3), sessions(4, 9));
  now += 9s;
  EXPECT_EQ(look(sessions(4, 5), sessions(6, 9)).said,
            "5 of 9 agents died within 10s; restarts wait while one is tried");
  EXPECT_EQ(hold(2), "");
  EXPECT_EQ(hold(2), "");
  EXPECT_EQ(hold(1), "many agents died at once; app-2 is tried first");
}

TEST_F(BlastRadius, DoesNotAddUpDeathsThatAreFarApart) {
  look(sessions(1, 4), {});
  now += 10s;
  EXPECT_EQ(look(sessions(5, 8), {}).said, "");
}

TEST_F(BlastRadius, CountsOneThatDiesAgainOnce) {
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(look(sessions(1, 2), sessions(3, 4)).said, "");
}

TEST_F(BlastRadius, GoesOnByItselfOnceTheOneTriedLives) {
  look(sessions(1, 6), {});
  hold(1);
  EXPECT_TRUE(look({}, {}).again_at) << "it is looked for until it lives";
  auto alive = sessions(1, 1);
  auto step = look({}, alive);
  ASSERT_TRUE(step.again_at);
  now = *step.again_at;
  EXPECT_EQ(look({}, alive).said, "app-1 lives; restarts go on");
  EXPECT_EQ(hold(3), "");
}

TEST_F(BlastRadius, GoesOnWhenTheOneTriedHasDoneItsWork) {
  look(sessions(1, 5), {});
  EXPECT_EQ(hold(1), "");
  now += 2s;
  look({}, sessions(1, 1));
  // Before its probation is over.
  now += 2s;
  blast_picture seen;
  seen.probe_has_finished = seen.probe_has_left = true;
  auto step = next_blast(state, seen, {}, now);
  EXPECT_EQ(step.said, "app-1 has come to its end; restarts go on");
  EXPECT_FALSE(step.next.paused);
}

TEST_F(BlastRadius, TriesAnotherWhenTheOneTriedIsNotStarted) {
  look(sessions(1, 5), {});
  EXPECT_EQ(hold(1), "");
  blast_picture seen;
  seen.probe_has_left = true;
  auto step = next_blast(state, seen, {}, now);
  state = step.next;
  EXPECT_TRUE(step.next.paused);
  EXPECT_TRUE(step.again_at);
  EXPECT_EQ(hold(2), "");
  EXPECT_EQ(hold(1), "many agents died at once; app-2 is tried first");
}

TEST_F(BlastRadius, TriesNoneWhoseNodeIsAway) {
  EXPECT_EQ(hold(1, true), "") << "there is no pause";
  look(sessions(1, 5), {});
  EXPECT_EQ(hold(1, true),
            "many agents died at once; one is tried first, on a node that is "
            "heard");
  EXPECT_EQ(hold(2), "");
  EXPECT_EQ(hold(2, true), "") << "its node is looked at with the next look";
  session probe;
  probe.run = 3;
  probe.runtime = runtime_state::starting;
  blast_picture seen;
  look_at_probe(&probe, false, seen);
  EXPECT_FALSE(seen.probe_has_left);
  look_at_probe(&probe, true, seen);
  EXPECT_TRUE(seen.probe_has_left);
  EXPECT_FALSE(seen.probe_has_finished);
  state = next_blast(state, seen, {}, now).next;
  EXPECT_NE(hold(1, true), "");
  EXPECT_EQ(hold(3), "");
}

TEST_F(BlastRadius, SeesWhatBecomesOfTheOneTried) {
  blast_picture seen;
  look_at_probe(nullptr, false, seen);
  EXPECT_TRUE(seen.probe_has_left);
  session probe;
  probe.run = 3;
  for (auto gone : {runtime_state::parked, runtime_state::lost}) {
    probe.runtime = gone;
    look_at_probe(&probe, false, seen);
    EXPECT_TRUE(seen.probe_has_left);
    EXPECT_FALSE(seen.probe_has_finished);
  }
  probe.runtime = runtime_state::exited;
  probe.exit.emplace();
  probe.exit->run = 2;
  look_at_probe(&probe, false, seen);
  EXPECT_FALSE(seen.probe_has_finished) << "the end of an earlier run";
  probe.exit->run = 3;
  look_at_probe(&probe, false, seen);
  EXPECT_TRUE(seen.probe_has_finished);
  EXPECT_FALSE(seen.probe_has_left);
  probe.exit->failure = "crash";
  look_at_probe(&probe, false, seen);
  EXPECT_FALSE(seen.probe_has_finished);
}

TEST_F(BlastRadius, TriesAnotherWhenTheOneTriedDies) {
  look(sessions(1, 6), {});
  hold(1);
  look({}, sessions(1, 1));
  now += 9s;
  look(sessions(1, 1), {});
  EXPECT_EQ(hold(4), "");
  EXPECT_NE(hold(1), "");
  now += 1h;
  look({}, sessions(4, 4));
  EXPECT_NE(hold(2), "") << "its own probation begins anew";
}

RC_GTEST_PROP(BlastRadiusProperty, NeverLetsTwoGoWhilePaused,
              (const std::vector<std::pair<int, bool>>& asks)) {
  blast_state state;
  mono_time now{1h};
  blast_picture many;
  for (int i = 0; i < 6; ++i)
    many.died.push_back(session_id{"s-" + std::to_string(i)});
  state = next_blast(state, many, {}, now).next;
  RC_ASSERT(state.paused);
  std::string let;
  for (const auto& [number, dies] : asks) {
    session_id id{"s-" + std::to_string(number)};
    if (hold_restart(state, id, false).empty()) {
      RC_ASSERT(let.empty() || let == id.text);
      let = id.text;
    }
    if (dies && let == id.text) {
      now += 1s;
      state = next_blast(state, {{id}, {}}, {}, now).next;
      let.clear();
    }
  }
}

} // namespace
} // namespace ao
