#include "runtime/actor/look_alarm.hpp"
#include "tests/support/actor_fixture.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

using namespace ao;
using namespace ao::test;

namespace {

using wish_atom = caf::atom_constant<caf::atom("wish")>;

struct looker_state {
  look_alarm alarm;
};

/// Looks when it is wished for, and ten seconds after each look that was due.
class LookAlarm : public actor_fixture {
protected:
  int looks = 0;
  int due = 0;
  caf::actor looker
    = spawn([this](caf::stateful_actor<looker_state>* self) -> caf::behavior {
        return {
          [self](wish_atom, int seconds) {
            self->state.alarm.after(self, std::chrono::seconds{seconds});
          },
          [this, self](look_atom) {
            ++looks;
            if (self->state.alarm.came(self->clock().now()))
              ++due;
            self->state.alarm.after(self, 10s);
          },
        };
      });

  void wish(int seconds) {
    self->send(looker, wish_atom::value, seconds);
    settle();
  }
};

TEST_F(LookAlarm, IsOneForAllThatWantIt) {
  for (int times = 0; times < 100; ++times)
    wish(1);
  advance(1s);
  EXPECT_EQ(looks, 1);
}

TEST_F(LookAlarm, ComesAtOnceWhenItIsDueNow) {
  wish(0);
  EXPECT_EQ(looks, 1);
  EXPECT_EQ(due, 1);
}

TEST_F(LookAlarm, ComesEarlierWhenThatIsWished) {
  wish(5);
  wish(1);
  advance(1s);
  EXPECT_EQ(due, 1);
  // The timer of the first wish is not the one that is due by now.
  advance(4s);
  EXPECT_EQ(due, 1);
  advance(6s);
  EXPECT_EQ(due, 2);
}

/// Each look arms the next; those of others must not make them more.
TEST_F(LookAlarm, DoesNotMultiplyByTheLooksOfOthers) {
  wish(1);
  for (int times = 0; times < 100; ++times) {
    self->send(looker, look_atom::value);
    settle();
  }
  advance(1s);
  looks = 0;
  advance(100s);
  EXPECT_EQ(looks, 10);
}

} // namespace
