#include "actors/supervisor.hpp"
#include "runtime/actor/ask.hpp"
#include "runtime/actor/harden.hpp"
#include "tests/support/actor_fixture.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/make_actor.hpp>
#include <caf/monitorable_actor.hpp>

#include <memory>
#include <stdexcept>

using namespace ao;
using namespace std::chrono_literals;

namespace {

using crash_atom = caf::atom_constant<caf::atom("crash")>;
using leave_atom = caf::atom_constant<caf::atom("leave")>;
using count_atom = caf::atom_constant<caf::atom("count")>;

/// The WORKER: counts, crashes and leaves when told.
AO_ROLE(worker_actor, caf::replies_to<count_atom>::with<int>,
        caf::reacts_to<crash_atom>, caf::reacts_to<leave_atom>);

/// What the workers of a test have in common.
struct workshop {
  /// `+a` for a start, `-a` for an end, in order.
  std::vector<std::string> diary;
  /// Those whose init throws.
  std::vector<std::string> broken;
};

using shop_ptr = std::shared_ptr<workshop>;

struct worker_state {
  static inline const char* name = "worker";
  std::string id;
  shop_ptr shop;
  int count = 0;

  ~worker_state() {
    if (shop)
      shop->diary.push_back("-" + id);
  }
};

worker_actor::behavior_type
worker(worker_actor::stateful_pointer<worker_state> self, actor_context context,
       shop_ptr shop, std::string id) {
  harden(self, context);
  for (auto& broken : shop->broken)
    if (broken == id)
      throw std::runtime_error(id + " is broken");
  self->state.id = id;
  self->state.shop = shop;
  shop->diary.push_back("+" + id);
  return {
    [self](count_atom) { return ++self->state.count; },
    [id](crash_atom) { throw std::runtime_error(id + " crashed"); },
    [self](leave_atom) { self->quit(); },
  };
}

/// An actor that says it is alive and ignores everything else, kill too: what
/// a blocked thread looks like from outside.
class stone : public caf::monitorable_actor {
public:
  explicit stone(caf::actor_config& config) : monitorable_actor(config) {
    // nop
  }

  void enqueue(caf::mailbox_element_ptr mail, caf::execution_unit*) override {
    if (mail && mail->mid.is_request() && mail->sender)
      mail->sender->enqueue(
        ctrl(), mail->mid.response_id(),
        caf::make_message(caf::ok_atom::value, std::string{"info"},
                          caf::strong_actor_ptr{ctrl()}, std::string{"stone"}),
        nullptr);
  }
};

std::string text_of(const std::vector<std::string>& words) {
  std::string out;
  for (auto& word : words)
    out += (out.empty() ? "" : " ") + word;
  return out;
}

class Supervisor : public test::actor_fixture {
protected:
  shop_ptr shop = std::make_shared<workshop>();
  std::vector<std::string> reports;

  child_spec child(const std::string& id,
                   restart_kind kind = restart_kind::permanent) {
    child_spec spec;
    spec.name = actor_name{id};
    spec.start = starts(worker, context, shop, id);
    spec.restart = kind;
    return spec;
  }

  supervisor_spec spec_of(restart_strategy strategy,
                          std::vector<child_spec> children = {}) {
    supervisor_spec spec;
    spec.name = "test";
    spec.rule.strategy = strategy;
    spec.rule.limits = {2, 60s, 0ms, 5min, 0.};
    spec.children = std::move(children);
    spec.hooks.on_restart = [this](const std::string& id, const error& why,
                                   std::uint32_t n, milliseconds) {
      reports.push_back("restart " + id + " " + std::to_string(n) + " "
                        + why.context);
    };
    spec.hooks.on_given_up = [this](const std::string& id, const error& why) {
      reports.push_back("given_up " + id + " " + why.context);
    };
    spec.hooks.on_abandoned = [this](const std::string& id, std::uint64_t n) {
      reports.push_back("abandoned " + id + " " + std::to_string(n));
    };
    return spec;
  }

  /// A supervisor of a, b, c.
  supervisor_spec three(restart_strategy strategy) {
    return spec_of(strategy, {child("a"), child("b"), child("c")});
  }

  /// A dynamic one that makes workers for any id but "never".
  supervisor_spec crowd() {
    auto spec = spec_of(restart_strategy::dynamic);
    spec.factory = [this](const std::string& id) -> result<child_spec> {
      if (id == "never")
        return fail(ec::no_such_task, "there is no task never");
      return child(id);
    };
    return spec;
  }

  supervisor_actor run(supervisor_spec spec) {
    supervisor_actor handle = spawn(supervisor, context, std::move(spec));
    settle();
    return handle;
  }

  template <class Atom>
  bool tell_worker(const std::string& id, Atom what) {
    auto found = tell<worker_actor>(context, actor_name{id}, what);
    settle();
    return found;
  }

  void crash(const std::string& id) { tell_worker(id, crash_atom::value); }

  std::string diary() { return text_of(std::exchange(shop->diary, {})); }

  template <class Handle>
  static bool lives(const Handle& handle) {
    return alive(caf::actor_cast<caf::strong_actor_ptr>(handle));
  }

  /// How the actor ended, asked of CAF itself.
  template <class Handle>
  error end_of(const Handle& handle) {
    self->monitor(handle);
    settle();
    error out;
    if (has_mail())
      self->receive(
        [&](const caf::down_msg& down) { out = to_ao_error(down.reason); });
    return out;
  }
};

} // namespace

TEST_F(Supervisor, StartsItsChildrenInOrderUnderTheirNames) {
  auto boss = run(three(restart_strategy::one_for_one));
  EXPECT_EQ(diary(), "+a +b +c");
  EXPECT_NE(names.find("b"_name), nullptr);
  EXPECT_EQ(ask<child_list>(boss, ready_atom::value).children.size(), 3u);
}

TEST_F(Supervisor, RegistersTheNewHandleAfterARestart) {
  auto boss = run(three(restart_strategy::one_for_one));
  auto before = names.find("b"_name);
  crash("b");
  auto after = names.find("b"_name);
  ASSERT_NE(after, nullptr);
  EXPECT_NE(before, after);
  EXPECT_EQ(ask<int>(names.find<worker_actor>("b"_name), count_atom::value), 1);
  EXPECT_EQ(text_of(reports), "restart b 1 b crashed");
  EXPECT_TRUE(lives(boss));
}

TEST_F(Supervisor, LetsAnAskSurviveTheRestartOfItsTarget) {
  auto spec = spec_of(restart_strategy::one_for_one, {child("a")});
  spec.rule.limits.delay = 1s;
  run(std::move(spec));
  crash("a");
  EXPECT_EQ(names.find("a"_name), nullptr);
  auto got = std::make_shared<int>(0);
  spawn([ctx = context, got](caf::event_based_actor* asker) {
    ao::ask<worker_actor>(asker, ctx, "a"_name, 10s, count_atom::value)
      .then([=](int n) { *got = n; }, [](const caf::error&) {});
  });
  advance(900ms);
  EXPECT_EQ(*got, 0);
  advance(1s);
  EXPECT_EQ(*got, 1);
}

TEST_F(Supervisor, StopsItsChildrenInReverseAndEndsWithTheReason) {
  auto boss = run(three(restart_strategy::rest_for_one));
  diary();
  end(boss);
  EXPECT_EQ(diary(), "-c -b -a");
  EXPECT_FALSE(lives(boss));
  EXPECT_EQ(end_of(boss).code, ec::shutting_down);
  EXPECT_EQ(names.size(), 0u);
}

TEST_F(Supervisor, RestartsTheRestInOrder) {
  run(three(restart_strategy::rest_for_one));
  diary();
  crash("b");
  EXPECT_EQ(diary(), "-b -c +b +c");
}

TEST_F(Supervisor, RestartsAllInOrder) {
  run(three(restart_strategy::one_for_all));
  diary();
  crash("b");
  EXPECT_EQ(diary(), "-b -c -a +a +b +c");
}

TEST_F(Supervisor, LetsATransientChildLeave) {
  auto boss = run(spec_of(restart_strategy::one_for_one,
                          {child("a", restart_kind::transient), child("b")}));
  diary();
  tell_worker("a", leave_atom::value);
  EXPECT_EQ(diary(), "-a");
  auto list = ask<child_list>(boss, list_children_atom::value);
  EXPECT_EQ(list.children[0].phase, child_phase::stopped);
  EXPECT_EQ(ask<child_info>(boss, restart_child{"a"}).phase,
            child_phase::running);
}

TEST_F(Supervisor, FailsUpwardWithTheLastReasonOverItsLimit) {
  auto boss = run(three(restart_strategy::one_for_one));
  crash("a");
  crash("b");
  diary();
  crash("c");
  EXPECT_EQ(diary(), "-c -b -a");
  EXPECT_EQ(end_of(boss), (error{ec::internal, "c crashed"}));
}

TEST_F(Supervisor, FailsWhenAChildEndsTooOftenEvenWithoutError) {
  auto boss = run(spec_of(restart_strategy::one_for_one, {child("a")}));
  for (auto i = 0; i < 3; ++i)
    tell_worker("a", leave_atom::value);
  EXPECT_EQ(end_of(boss).code, ec::restart_intensity_reached);
}

TEST_F(Supervisor, FailsToStartWhenAnInitThrows) {
  shop->broken = {"b"};
  auto boss = run(three(restart_strategy::one_for_one));
  EXPECT_EQ(diary(), "+a -a");
  EXPECT_EQ(end_of(boss), (error{ec::internal, "b is broken"}));
  EXPECT_EQ(names.size(), 0u);
}

TEST_F(Supervisor, FailsToStartWhenAStartFunctionThrowsOrReturnsNothing) {
  auto thrower = child("b");
  thrower.start = [](caf::actor_system&, bool) -> caf::actor {
    throw std::runtime_error("no such program");
  };
  auto boss
    = run(spec_of(restart_strategy::one_for_one, {child("a"), thrower}));
  EXPECT_EQ(end_of(boss), (error{ec::internal, "no such program"}));
  thrower.start = [](caf::actor_system&, bool) { return caf::actor{}; };
  boss = run(spec_of(restart_strategy::one_for_one, {thrower}));
  EXPECT_EQ(end_of(boss).code, ec::process_failed);
}

TEST_F(Supervisor, WaitsForWhatAChildAwaitsInItsInit) {
  run(spec_of(restart_strategy::one_for_one, {child("store")}));
  child_spec slow;
  slow.name = "slow"_name;
  auto ctx = context;
  slow.start = starts([ctx](caf::event_based_actor* me) -> caf::behavior {
    me->request(spawn_pause(me, 2s), 5s, caf::atom("pause")).await([](bool) {});
    return {[](int x) { return x; }};
  });
  run(spec_of(restart_strategy::one_for_one, {slow, child("a")}));
  diary();
  advance(1s);
  EXPECT_EQ(diary(), "");
  advance(1s);
  EXPECT_EQ(diary(), "+a");
}

// CAF delivers neither exit nor kill to an actor that awaits an answer, so such
// a child is abandoned first and dies when its wait is over.
TEST_F(Supervisor, FailsToStartWhenAChildIsNotReadyInTime) {
  auto late = child("late");
  late.start_within = 3s;
  auto ctx = context;
  late.start = starts([ctx](caf::event_based_actor* me) -> caf::behavior {
    me->request(spawn_pause(me, 60s), 90s, caf::atom("pause")).await([](bool) {
    });
    return {[](int x) { return x; }};
  });
  auto boss = run(spec_of(restart_strategy::one_for_one, {late}));
  advance(2999ms);
  EXPECT_TRUE(lives(boss));
  auto handle = names.find("late"_name);
  advance(1001ms);
  EXPECT_EQ(text_of(reports), "abandoned late 1");
  EXPECT_EQ(end_of(boss), (error{ec::timed_out, "late was not ready in time"}));
  EXPECT_TRUE(alive(handle));
  advance(60s);
  EXPECT_FALSE(alive(handle));
}

TEST_F(Supervisor, EndsAllThatAreNotReadyAtTheDeadlineTheyShare) {
  auto spec = crowd();
  auto make = spec.factory;
  spec.factory = [this, make](const std::string& id) {
    auto made = make(id);
    made->start_within = id == "d" ? 9s : 3s;
    if (id != "c")
      made->start
        = starts([ctx = context](caf::event_based_actor* me) -> caf::behavior {
            me->request(spawn_pause(me, 60s), 90s, caf::atom("pause"))
              .await([](bool) {});
            return {[](int x) { return x; }};
          });
    return made;
  };
  spec.keys = {"a", "b", "c", "d"};
  run(std::move(spec));
  advance(2999ms);
  EXPECT_EQ(text_of(reports), "");
  advance(1001ms);
  auto all = text_of(reports);
  EXPECT_NE(all.find("abandoned a 1"), std::string::npos) << all;
  EXPECT_NE(all.find("abandoned b 2"), std::string::npos) << all;
  EXPECT_EQ(all.find("abandoned d"), std::string::npos) << all;
  EXPECT_EQ(diary(), "+c");
  advance(60s);
}

TEST_F(Supervisor, AbandonsAndCountsAChildThatDoesNotDieByKill) {
  auto blocked = child("blocked");
  blocked.start = [](caf::actor_system& system, bool) {
    caf::actor_config config;
    return caf::make_actor<stone, caf::actor>(system.next_actor_id(),
                                              system.node(), &system, config);
  };
  auto boss = run(
    spec_of(restart_strategy::one_for_one, {child("a"), blocked, child("c")}));
  diary();
  end(boss);
  advance(4999ms);
  EXPECT_EQ(diary(), "-c");
  EXPECT_TRUE(lives(boss));
  advance(1001ms);
  EXPECT_EQ(diary(), "-a");
  EXPECT_FALSE(lives(boss));
  EXPECT_EQ(text_of(reports), "abandoned blocked 1");
  EXPECT_EQ(names.size(), 0u);
}

TEST_F(Supervisor, AnswersWhileAChildWaitsForItsRestart) {
  auto spec = three(restart_strategy::one_for_one);
  spec.rule.limits.delay = 1s;
  auto boss = run(std::move(spec));
  crash("b");
  auto list = ask<child_list>(boss, list_children_atom::value);
  EXPECT_EQ(list.children[1].phase, child_phase::waiting);
  EXPECT_EQ(ask<child_info>(boss, stop_child{"a"}).phase, child_phase::stopped);
  diary();
  advance(1s);
  EXPECT_EQ(diary(), "+b");
}

TEST_F(Supervisor, TakesItsChildrenAlongWhenItIsKilled) {
  auto boss = run(three(restart_strategy::one_for_one));
  diary();
  end(boss, caf::exit_reason::kill);
  EXPECT_EQ(shop->diary.size(), 3u);
  EXPECT_EQ(names.size(), 0u);
}

TEST_F(Supervisor, IsReadyBelowAnotherWhenItsOwnChildrenAre) {
  auto inner = spec_of(restart_strategy::one_for_one, {child("x"), child("y")});
  auto boss = run(spec_of(
    restart_strategy::rest_for_one,
    {child("a"), supervisor_child("inner"_name, context, inner), child("z")}));
  EXPECT_EQ(diary(), "+a +x +y +z");
  end(boss);
  EXPECT_EQ(diary(), "-z -y -x -a");
  EXPECT_EQ(names.size(), 0u);
}

TEST_F(Supervisor, IsRestartedByTheOneAboveWhenItGivesUp) {
  auto inner = spec_of(restart_strategy::one_for_one, {child("x")});
  run(spec_of(restart_strategy::rest_for_one,
              {child("a"), supervisor_child("inner"_name, context, inner)}));
  for (auto i = 0; i < 3; ++i)
    crash("x");
  EXPECT_NE(names.find("x"_name), nullptr);
  EXPECT_EQ(reports.back(), "restart inner 1 x crashed");
}

TEST_F(Supervisor, StartsAndStopsDynamicChildrenByKeyAndMayBeAskedAgain) {
  auto boss = run(crowd());
  EXPECT_EQ(ask<child_info>(boss, start_child{"task/T1"}).phase,
            child_phase::running);
  EXPECT_EQ(ask<child_info>(boss, start_child{"task/T1"}).incarnation, 1u);
  EXPECT_NE(names.find("task/T1"_name), nullptr);
  EXPECT_EQ(diary(), "+task/T1");
  EXPECT_EQ(ask<child_info>(boss, stop_child{"task/T1"}).phase,
            child_phase::stopped);
  EXPECT_EQ(ask<child_info>(boss, stop_child{"task/T1"}).phase,
            child_phase::stopped);
  EXPECT_EQ(names.size(), 0u);
  EXPECT_EQ(ask<child_info>(boss, start_child{"task/T1"}).phase,
            child_phase::running);
}

TEST_F(Supervisor, StartsTheKeysItBeginsWithAndReportsWhatCannotBeMade) {
  auto spec = crowd();
  spec.keys = {"a", "never", "b"};
  auto boss = run(std::move(spec));
  EXPECT_EQ(diary(), "+a +b");
  EXPECT_EQ(text_of(reports), "given_up never there is no task never");
  EXPECT_EQ(ask<child_list>(boss, ready_atom::value).children.size(), 2u);
}

TEST_F(Supervisor, AnswersAStartThatFailsWithItsReason) {
  auto boss = run(crowd());
  shop->broken = {"b"};
  auto failed
    = outcome<child_info>(self->request(boss, caf::infinite, start_child{"b"}));
  ASSERT_FALSE(failed);
  EXPECT_EQ(to_ao_error(failed.error()), (error{ec::internal, "b is broken"}));
  failed = outcome<child_info>(
    self->request(boss, caf::infinite, start_child{"never"}));
  ASSERT_FALSE(failed);
  EXPECT_EQ(to_ao_error(failed.error()).code, ec::no_such_task);
  EXPECT_TRUE(
    ask<child_list>(boss, list_children_atom::value).children.empty());
}

TEST_F(Supervisor, GivesUpOneDynamicChildAndKeepsItsSiblings) {
  auto spec = crowd();
  spec.keys = {"a", "b", "c"};
  auto boss = run(std::move(spec));
  for (auto i = 0; i < 3; ++i)
    crash("b");
  EXPECT_EQ(reports.back(), "given_up b b crashed");
  EXPECT_EQ(names.find("b"_name), nullptr);
  EXPECT_TRUE(lives(boss));
  EXPECT_EQ(ask<child_list>(boss, list_children_atom::value).children.size(),
            2u);
}

TEST_F(Supervisor, OutlivesAStormOfCrashesOfMany) {
  auto spec = crowd();
  for (auto i = 0; i < 200; ++i)
    spec.keys.push_back("task/T" + std::to_string(i));
  spec.rule.limits = {5, 60s, 100ms, 1s, 0.25};
  auto boss = run(std::move(spec));
  for (auto round = 0; round < 5; ++round) {
    for (auto& name : names.names("task"))
      tell<worker_actor>(context, name, crash_atom::value);
    advance(3s);
    EXPECT_EQ(names.names("task").size(), 200u);
  }
  for (auto& name : names.names("task"))
    tell<worker_actor>(context, name, crash_atom::value);
  settle();
  EXPECT_EQ(names.size(), 0u);
  EXPECT_TRUE(lives(boss));
  EXPECT_EQ(reports.size(), 200u * 6u);
}

TEST_F(Supervisor, AnswersEveryoneBeforeItEnds) {
  auto spec = crowd();
  auto inner = spec.factory;
  spec.factory = [inner](const std::string& id) {
    auto made = inner(id);
    made->start = [](caf::actor_system& system, bool) {
      caf::actor_config config;
      return caf::make_actor<stone, caf::actor>(system.next_actor_id(),
                                                system.node(), &system, config);
    };
    return made;
  };
  auto boss = run(std::move(spec));
  ask<child_info>(boss, start_child{"a"});
  auto pending = self->request(boss, caf::infinite, stop_child{"a"});
  end(boss);
  EXPECT_FALSE(has_mail());
  auto refused
    = outcome<child_info>(self->request(boss, caf::infinite, start_child{"b"}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(to_ao_error(refused.error()).code, ec::shutting_down);
  advance(6s);
  EXPECT_EQ(answer<child_info>(pending).phase, child_phase::stopped);
}

TEST_F(Supervisor, WritesOneLineForEachChangeOfState) {
  run(three(restart_strategy::one_for_one));
  crash("b");
  EXPECT_EQ(log.back(),
            "warn child_restarted supervisor=test child=b "
            "reason=internal restarts=1 delay=0ms");
}
