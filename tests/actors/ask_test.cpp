#include "messages/role.hpp"
#include "runtime/actor/ask.hpp"
#include "runtime/actor/harden.hpp"
#include "tests/support/actor_fixture.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>
#include <stdexcept>

using namespace ao;
using namespace std::chrono_literals;

namespace {

using note_atom = caf::atom_constant<caf::atom("note")>;

/// The ORACLE: answers, after a while, never, with an error, or dies of it.
AO_ROLE(oracle_actor, caf::replies_to<int>::with<std::string>,
        caf::reacts_to<note_atom>);

/// What an oracle does with a question, and what became of it.
struct oracle_plan {
  enum { answers, silent, refuses, throws, dies } mode = answers;
  int asked = 0;
  int noted = 0;
};

using plan_ptr = std::shared_ptr<oracle_plan>;

oracle_actor::behavior_type oracle(oracle_actor::pointer self,
                                   actor_context context, plan_ptr plan) {
  harden(self, context);
  return {
    [=](int x) -> caf::result<std::string> {
      ++plan->asked;
      switch (plan->mode) {
      case oracle_plan::silent:
        return self->make_response_promise<std::string>();
      case oracle_plan::refuses:
        return make_error(ec::no_such_task, "T17 is not in the registry");
      case oracle_plan::throws:
        throw std::runtime_error("bad question");
      case oracle_plan::dies:
        self->quit(make_error(ec::store_failed, "disk"));
        return self->make_response_promise<std::string>();
      default:
        return "answer " + std::to_string(x);
      }
    },
    [=](note_atom) { ++plan->noted; },
  };
}

/// The PILGRIM: asks by name and keeps what came back.
AO_ROLE(pilgrim_actor, caf::reacts_to<int>, caf::reacts_to<note_atom>);

struct outcome_list {
  std::vector<std::string> values;
  std::vector<error> errors;
};

using outcomes = std::shared_ptr<outcome_list>;

pilgrim_actor::behavior_type pilgrim(pilgrim_actor::pointer self,
                                     actor_context context, outcomes out) {
  harden(self, context);
  auto failed
    = [=](const caf::error& why) { out->errors.push_back(to_ao_error(why)); };
  return {
    [=](int x) {
      ask<oracle_actor>(self, context, "oracle/delphi"_name, 6s, x)
        .then([=](const std::string& answer) { out->values.push_back(answer); },
              failed);
    },
    [=](note_atom) {
      ask<oracle_actor>(self, context, "oracle/delphi"_name, 6s,
                        note_atom::value)
        .then([=] { out->values.push_back("noted"); }, failed);
    },
  };
}

class Ask : public test::actor_fixture {
protected:
  plan_ptr plan = std::make_shared<oracle_plan>();
  outcomes out = std::make_shared<outcome_list>();

  pilgrim_actor seeker() { return spawn(pilgrim, context, out); }

  auto delphi() { return spawn_as("oracle/delphi", oracle, context, plan); }

  void ask_now(const pilgrim_actor& who) {
    caf::anon_send(who, 7);
    settle();
  }
};

} // namespace

TEST_F(Ask, BringsTheAnswerOfWhoHoldsTheName) {
  delphi();
  ask_now(seeker());
  EXPECT_EQ(out->values, std::vector<std::string>{"answer 7"});
  EXPECT_TRUE(out->errors.empty());
}

TEST_F(Ask, ConfirmsAMessageWithoutAnswer) {
  delphi();
  caf::anon_send(seeker(), note_atom::value);
  settle();
  EXPECT_EQ(out->values, std::vector<std::string>{"noted"});
  EXPECT_EQ(plan->noted, 1);
}

TEST_F(Ask, WorksForUntypedActorsToo) {
  delphi();
  auto got = out;
  auto ctx = context;
  spawn([=](caf::event_based_actor* self) {
    ao::ask<oracle_actor>(self, ctx, "oracle/delphi"_name, 1s, 3)
      .then([=](std::string& answer) { got->values.push_back(answer); },
            [](const caf::error&) {});
  });
  settle();
  EXPECT_EQ(out->values, std::vector<std::string>{"answer 3"});
}

TEST_F(Ask, WaitsForTheNameToBeTaken) {
  ask_now(seeker());
  advance(2s);
  EXPECT_TRUE(out->values.empty());
  delphi();
  advance(500ms);
  EXPECT_EQ(out->values, std::vector<std::string>{"answer 7"});
  EXPECT_EQ(plan->asked, 1);
}

TEST_F(Ask, SaysWhenNobodyIsCalledThatUntilTheDeadline) {
  ask_now(seeker());
  advance(5999ms);
  EXPECT_TRUE(out->errors.empty());
  advance(1ms);
  ASSERT_EQ(out->errors.size(), 1u);
  EXPECT_EQ(out->errors[0],
            (error{ec::not_reachable, "nobody is called oracle/delphi"}));
  advance(60s);
  EXPECT_EQ(out->errors.size(), 1u);
}

TEST_F(Ask, SaysWhenThereIsNoAnswerUntilTheDeadline) {
  plan->mode = oracle_plan::silent;
  delphi();
  ask_now(seeker());
  advance(5999ms);
  EXPECT_TRUE(out->errors.empty());
  advance(1ms);
  ASSERT_EQ(out->errors.size(), 1u);
  EXPECT_EQ(out->errors[0],
            (error{ec::timed_out,
                   "oracle/delphi did not "
                   "answer within 6s"}));
  EXPECT_EQ(plan->asked, 3);
}

TEST_F(Ask, SurvivesARestartOfTheTargetInTheMiddle) {
  plan->mode = oracle_plan::silent;
  auto old = delphi();
  ask_now(seeker());
  EXPECT_EQ(plan->asked, 1);
  end(old);
  plan->mode = oracle_plan::answers;
  delphi();
  advance(3s);
  EXPECT_EQ(out->values, std::vector<std::string>{"answer 7"});
  EXPECT_EQ(plan->asked, 2);
}

TEST_F(Ask, TriesTheNextHolderWhenTheHandleIsOfADeadActor) {
  auto old = delphi();
  end(old);
  auto who = seeker();
  ask_now(who);
  EXPECT_TRUE(out->values.empty());
  delphi();
  advance(10ms);
  EXPECT_EQ(out->values, std::vector<std::string>{"answer 7"});
}

TEST_F(Ask, PassesTheTargetsOwnErrorOnAtOnce) {
  plan->mode = oracle_plan::refuses;
  delphi();
  ask_now(seeker());
  ASSERT_EQ(out->errors.size(), 1u);
  EXPECT_EQ(out->errors[0],
            (error{ec::no_such_task, "T17 is not in the registry"}));
  EXPECT_EQ(plan->asked, 1);
}

TEST_F(Ask, DoesNotRepeatARequestThatThrows) {
  plan->mode = oracle_plan::throws;
  auto poisoned = delphi();
  ask_now(seeker());
  advance(10s);
  ASSERT_EQ(out->errors.size(), 1u);
  EXPECT_EQ(out->errors[0], (error{ec::internal, "bad question"}));
  EXPECT_EQ(plan->asked, 1);
  EXPECT_FALSE(alive(caf::actor_cast<caf::strong_actor_ptr>(poisoned)));
}

TEST_F(Ask, OfAnActorThatHasEndedComesToNothing) {
  plan->mode = oracle_plan::silent;
  delphi();
  auto who = seeker();
  ask_now(who);
  end(who);
  advance(60s);
  EXPECT_EQ(plan->asked, 1);
  EXPECT_TRUE(out->errors.empty());
}

TEST_F(Ask, TellReachesWhoIsThereAndSaysWhenNobodyIs) {
  EXPECT_FALSE(
    tell<oracle_actor>(context, "oracle/delphi"_name, note_atom::value));
  delphi();
  EXPECT_TRUE(
    tell<oracle_actor>(context, "oracle/delphi"_name, note_atom::value));
  settle();
  EXPECT_EQ(plan->noted, 1);
}

TEST_F(Ask, HardenedActorsLogWhatIsUnexpectedAndLiveOn) {
  auto target = caf::actor_cast<caf::actor>(delphi());
  auto answer = outcome<std::string>(
    self->request(target, caf::infinite, std::string{"what?"}));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), caf::sec::unexpected_message);
  EXPECT_TRUE(alive(caf::actor_cast<caf::strong_actor_ptr>(target)));
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0].substr(0, 24), "error message_unexpected");
}
