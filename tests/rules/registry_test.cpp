#include "runtime/rules/registry.hpp"
#include "tests/support/shared_row.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

using namespace ao;
using testing::HasSubstr;

namespace {

const wall_time now{milliseconds{1000}};

/// A registry whose every write is committed at once.
class Registry : public testing::Test {
protected:
  template <class Request>
  registry_decision commit(const Request& request) {
    auto d = book.decide(request, now);
    EXPECT_TRUE(d) << (d ? "" : to_string(d.error()));
    if (!d)
      return {};
    auto fresh = book.adopt(*d);
    effects.insert(effects.end(), fresh.begin(), fresh.end());
    return *d;
  }

  template <class Request>
  error refusal(const Request& request) {
    auto d = book.decide(request, now);
    EXPECT_FALSE(d);
    return d ? error{} : d.error();
  }

  task_id add(std::vector<std::string> needs = {}, std::string key = {}) {
    add_task x;
    x.project = project_id{"app"};
    x.title = "Do it";
    x.needs = std::move(needs);
    x.key = std::move(key);
    auto d = commit(x);
    return std::get<tasks_added>(d.answer).tasks.at(0).id;
  }

  session_opened open(const task_id& id) {
    return std::get<session_opened>(commit(spawn(id)).answer);
  }

  static open_session spawn(const task_id& id) {
    open_session x;
    x.task = id;
    x.prefix = "app";
    x.node = node_name{"local"};
    x.agent = "scripted";
    x.base = "main";
    return x;
  }

  /// Decides all that `adopt` asked to settle.
  void settle() {
    while (!effects.empty()) {
      auto e = effects.front();
      effects.erase(effects.begin());
      done.push_back(e);
      if (e.what == registry_effect::kind::settle)
        commit(settle_task{e.task});
    }
  }

  bool saw(registry_effect::kind what, const task_id& id) const {
    return std::any_of(done.begin(), done.end(), [&](const auto& e) {
      return e.what == what && e.task == id;
    });
  }

  const task& row(const task_id& id) { return *book.find_task(id.text); }

  static std::vector<event_kind> kinds(const registry_decision& d) {
    std::vector<event_kind> out;
    for (const auto& e : d.write.events)
      out.push_back(e.kind);
    return out;
  }

  registry_book book;
  std::vector<registry_effect> effects;
  std::vector<registry_effect> done;
};

add_task titled(std::string title) {
  add_task x;
  x.project = project_id{"app"};
  x.title = std::move(title);
  return x;
}

} // namespace

TEST_F(Registry, NumbersTasksFromOneAndMakesThemReady) {
  auto d = commit(titled("First"));
  const auto& t = std::get<tasks_added>(d.answer).tasks.at(0);
  EXPECT_EQ(t.id.text, "T1");
  EXPECT_EQ(t.key, "app/task:1");
  EXPECT_EQ(t.state, task_state::ready);
  EXPECT_EQ(
    kinds(d),
    (std::vector<event_kind>{event_kind::task_added, event_kind::task_ready}));
  EXPECT_EQ(add().text, "T2");
}

TEST_F(Registry, GuardsAWriteByTheReservationOfItsNumbers) {
  auto first = *book.decide(titled("a"), now);
  auto second = *book.decide(titled("b"), now);
  ASSERT_EQ(first.reserve.size(), 1u);
  ASSERT_EQ(second.reserve.size(), 1u);
  EXPECT_EQ(std::get<counter>(first.reserve[0].rows[0]).version, 1u);
  EXPECT_EQ(std::get<counter>(second.reserve[0].rows[0]).version, 2u);
  ASSERT_EQ(second.write.guards.size(), 1u);
  EXPECT_EQ(second.write.guards[0].equals, 2u);
}

TEST_F(Registry, AnswersAKnownKeyWithItsTask) {
  auto id = add({}, "app/file:backlog.md#7");
  auto x = titled("Another title");
  x.key = "app/file:backlog.md#7";
  auto d = commit(x);
  EXPECT_TRUE(d.empty());
  const auto& answer = std::get<tasks_added>(d.answer);
  EXPECT_EQ(answer.tasks.at(0).id, id);
  EXPECT_FALSE(answer.fresh.at(0));
}

TEST_F(Registry, KeepsAKeyLockedWhileItIsBeingAdded) {
  auto x = titled("a");
  x.key = "app/prompt:1";
  auto d = *book.decide(x, now);
  EXPECT_EQ(refusal(x).code, ec::request_in_flight);
  book.abandon(d);
  EXPECT_TRUE(book.decide(x, now));
}

TEST_F(Registry, RefusesWhatCannotBeATask) {
  auto code = [this](auto change) {
    auto x = titled("Fine");
    change(x);
    return refusal(x).code;
  };
  EXPECT_EQ(code([](auto& x) { x.title = ""; }), ec::bad_input);
  EXPECT_EQ(code([](auto& x) { x.title = "   "; }), ec::bad_input);
  EXPECT_EQ(code([](auto& x) { x.title = "two\nlines"; }), ec::bad_input);
  EXPECT_EQ(code([](auto& x) { x.title = std::string(501, 'x'); }),
            ec::bad_input);
  EXPECT_EQ(code([](auto& x) { x.title = "\xC0\xAF"; }), ec::bad_input);
  EXPECT_EQ(code([](auto& x) { x.title = "\xED\xA0\x80"; }), ec::bad_input);
  EXPECT_EQ(code([](auto& x) { x.title = "\xF4\x90\x80\x80"; }), ec::bad_input);
  EXPECT_EQ(code([](auto& x) { x.title = "cut \xE2\x82"; }), ec::bad_input);
  EXPECT_EQ(code([](auto& x) { x.body = std::string("a\0b", 3); }),
            ec::bad_input);
  EXPECT_EQ(code([](auto& x) { x.body = "\xFF"; }), ec::bad_input);
  EXPECT_EQ(code([](auto& x) { x.body.assign((1u << 20) + 1, 'x'); }),
            ec::too_large);
  EXPECT_EQ(code([](auto& x) { x.priority = 10; }), ec::bad_input);
  EXPECT_EQ(code([](auto& x) { x.priority = -1; }), ec::bad_input);
  EXPECT_EQ(code([](auto& x) { x.labels = {""}; }), ec::bad_input);
  EXPECT_EQ(code([](auto& x) { x.project = {}; }), ec::bad_input);
  EXPECT_EQ(code([](auto& x) { x.needs = {"T9"}; }), ec::no_such_task);
  EXPECT_TRUE(book.tasks().empty());
}

TEST_F(Registry, AcceptsTitleAndBodyUpToTheirLimits) {
  auto x = titled(std::string(500, 'x'));
  x.body.assign(1u << 20, '\n');
  EXPECT_TRUE(book.decide(x, now));
  EXPECT_TRUE(book.decide(titled("Grüße, 世界 🚀"), now));
}

TEST_F(Registry, ImportsABatchWithNeedsThatPointForwards) {
  add_tasks batch;
  for (auto key : {"app/a", "app/b"}) {
    batch.items.push_back(titled(key));
    batch.items.back().key = key;
  }
  batch.items[0].needs = {"app/b"};
  auto d = commit(batch);
  EXPECT_EQ(row(task_id{"T1"}).needs, std::vector<task_id>{task_id{"T2"}});
  EXPECT_EQ(row(task_id{"T1"}).state, task_state::blocked);
  EXPECT_EQ(row(task_id{"T1"}).why, "waits for T2");
  EXPECT_EQ(row(task_id{"T2"}).state, task_state::ready);
}

TEST_F(Registry, NamesTheCycleOfABatchAndImportsNothing) {
  add_tasks batch;
  for (auto ref : {"x", "a", "b", "c"}) {
    batch.items.push_back(titled(ref));
    batch.items.back().ref = ref;
    batch.items.back().key = std::string{"app/"} + ref;
  }
  batch.items[0].needs = {"app/a"};
  batch.items[1].needs = {"app/b"};
  batch.items[2].needs = {"app/c"};
  batch.items[3].needs = {"app/a"};
  auto e = refusal(batch);
  EXPECT_EQ(e.code, ec::dependency_cycle);
  EXPECT_EQ(e.context, "a -> b -> c -> a");
  EXPECT_TRUE(book.tasks().empty());
  batch.items.resize(1);
  batch.items[0].needs = {"app/x"};
  EXPECT_EQ(refusal(batch).context, "x -> x");
}

TEST_F(Registry, OrdersALongChainWithoutRecursion) {
  std::vector<add_task> chain(100000);
  for (std::size_t i = 0; i < chain.size(); ++i) {
    chain[i].key = std::to_string(i);
    if (i + 1 < chain.size())
      chain[i].needs = {std::to_string(i + 1)};
  }
  auto order = order_by_needs(chain);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->front(), chain.size() - 1);
}

TEST_F(Registry, FindsATaskByIdKeyAndReference) {
  auto x = titled("a");
  x.ref = "7";
  x.key = "app/file:backlog.md#7";
  commit(x);
  EXPECT_NE(book.find_task("T1"), nullptr);
  EXPECT_NE(book.find_task("app/file:backlog.md#7"), nullptr);
  EXPECT_NE(book.find_task("7", project_id{"app"}), nullptr);
  EXPECT_NE(book.find_task("app/7"), nullptr);
  EXPECT_EQ(book.find_task("7"), nullptr);
  EXPECT_EQ(book.find_task("t1"), nullptr);
}

TEST_F(Registry, GrantsATaskToOneSession) {
  auto id = add();
  auto d = commit(spawn(id));
  const auto& got = std::get<session_opened>(d.answer);
  EXPECT_EQ(got.session.id.text, "app-1");
  EXPECT_EQ(got.session.branch, "ao/app-1");
  EXPECT_EQ(got.session.epoch, 1u);
  EXPECT_EQ(got.session.runtime, runtime_state::queued);
  EXPECT_TRUE(got.claim.held);
  EXPECT_EQ(row(id).state, task_state::claimed);
  EXPECT_EQ(row(id).session, got.session.id);
  EXPECT_EQ(kinds(d),
            (std::vector<event_kind>{event_kind::task_claimed,
                                     event_kind::session_queued}));
}

TEST_F(Registry, RefusesAClaimedTaskWithItsHolderAndRecordsIt) {
  auto id = add();
  open(id);
  auto d = commit(spawn(id));
  const auto& e = std::get<error>(d.answer);
  EXPECT_EQ(e.code, ec::task_already_claimed);
  EXPECT_THAT(e.context, HasSubstr("app-1"));
  EXPECT_THAT(e.details,
              testing::ElementsAre(
                testing::Pair("task", "T1"), testing::Pair("key", "app/task:1"),
                testing::Pair("holder", "app-1"), testing::Pair("epoch", "1")));
  EXPECT_EQ(kinds(d), std::vector<event_kind>{event_kind::claim_refused});
  EXPECT_TRUE(d.write.rows.empty());
}

TEST_F(Registry, RefusesASecondSessionWhileTheFirstIsBeingWritten) {
  auto id = add();
  auto first = book.decide(spawn(id), now);
  ASSERT_TRUE(first);
  EXPECT_TRUE(book.busy("T1"));
  EXPECT_EQ(refusal(spawn(id)).code, ec::request_in_flight);
}

TEST_F(Registry, RefusesClosedAndParkedTasksWithTheWayOut) {
  for (auto to : {task_state::merged, task_state::done, task_state::failed,
                  task_state::parked}) {
    auto id = add();
    auto epoch = open(id).claim.epoch;
    commit(move_task{id, epoch, to, "", {}});
    auto e = refusal(spawn(id));
    EXPECT_EQ(e.code, ec::task_closed);
    EXPECT_THAT(e.context, HasSubstr("ao task retry " + id.text));
    commit(retry_task{id});
    EXPECT_EQ(open(id).claim.epoch, epoch + 1);
  }
}

TEST_F(Registry, GrantsABlockedTaskAndLetsItsSessionWait) {
  auto need = add();
  auto id = add({"T1"});
  auto s = open(id).session;
  EXPECT_EQ(row(id).state, task_state::blocked);
  EXPECT_EQ(s.reason, "waits for T1");
  auto e = std::get<error>(commit(spawn(id)).answer);
  EXPECT_EQ(e.code, ec::task_already_claimed);
  commit(move_task{need, open(need).claim.epoch, task_state::done, "", {}});
  settle();
  EXPECT_EQ(row(id).state, task_state::claimed);
  EXPECT_THAT(done,
              testing::Contains(
                registry_effect{registry_effect::kind::task_ready, id, s.id}));
}

TEST_F(Registry, TellsDependentsWhyTheyGoOnWaiting) {
  auto need = add();
  auto id = add({"T1"});
  auto epoch = open(need).claim.epoch;
  commit(move_task{need, epoch, task_state::failed, "", {}});
  settle();
  EXPECT_EQ(row(id).state, task_state::blocked);
  EXPECT_EQ(row(id).why, "waits for T1 (failed)");
  commit(retry_task{need});
  settle();
  EXPECT_EQ(row(id).why, "waits for T1");
  commit(move_task{need, open(need).claim.epoch, task_state::merged, "", {}});
  settle();
  EXPECT_EQ(row(id).state, task_state::ready);
  EXPECT_TRUE(saw(registry_effect::kind::task_ready, id));
}

TEST_F(Registry, FindsUnsettledTasksAfterACrash) {
  task need;
  need.id = task_id{"T1"};
  need.state = task_state::merged;
  task waits;
  waits.id = task_id{"T2"};
  waits.state = task_state::blocked;
  waits.needs = {need.id};
  book.load({shared(need), shared(waits)}, {}, {});
  auto found = book.recover();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].task, waits.id);
}

TEST_F(Registry, ReleasesTheClaimWithTheEndOfItsTask) {
  auto id = add();
  auto got = open(id);
  auto d = commit(move_task{id, got.claim.epoch, task_state::merged, "", {}});
  EXPECT_EQ(kinds(d),
            (std::vector<event_kind>{event_kind::task_closed,
                                     event_kind::claim_released}));
  EXPECT_FALSE(book.find_claim("T1")->held);
  EXPECT_TRUE(row(id).closed_at);
  settle();
  EXPECT_THAT(done,
              testing::Contains(registry_effect{
                registry_effect::kind::end_session, {}, got.session.id}));
}

TEST_F(Registry, RefusesTheWordOfAnOlderEpoch) {
  auto id = add();
  auto old = open(id);
  commit(release_claim{"T1", old.claim.epoch, "saga failed", false});
  EXPECT_EQ(row(id).state, task_state::ready);
  EXPECT_EQ(
    refusal(move_task{id, old.claim.epoch, task_state::done, "", {}}).code,
    ec::wrong_state);
  auto fresh = open(id);
  EXPECT_GT(fresh.claim.epoch, old.claim.epoch);
  EXPECT_EQ(
    refusal(move_task{id, old.claim.epoch, task_state::done, "", {}}).code,
    ec::stale_epoch);
  EXPECT_EQ(refusal(release_claim{"T1", old.claim.epoch, "", false}).code,
            ec::stale_epoch);
}

TEST_F(Registry, AllowsExactlyTheMovesOfItsTable) {
  using s = task_state;
  const s all[] = {s::blocked, s::ready,  s::claimed,   s::in_review, s::merged,
                   s::done,    s::failed, s::cancelled, s::parked};
  std::size_t allowed = 0;
  for (auto from : all)
    for (auto to : all)
      allowed += may_move(from, to);
  EXPECT_EQ(allowed, 3u + 6u + 6u + 1u);
  EXPECT_TRUE(may_move(s::claimed, s::in_review));
  EXPECT_TRUE(may_move(s::in_review, s::claimed));
  EXPECT_TRUE(may_move(s::parked, s::merged));
  EXPECT_FALSE(may_move(s::ready, s::done));
  EXPECT_FALSE(may_move(s::merged, s::claimed));
}

TEST_F(Registry, TakesARepeatedMoveAsDone) {
  auto id = add();
  auto epoch = open(id).claim.epoch;
  auto to = move_task{id, epoch, task_state::in_review, "", change_id{"app#1"}};
  EXPECT_FALSE(commit(to).empty());
  EXPECT_TRUE(commit(to).empty());
  EXPECT_EQ(row(id).change.text, "app#1");
}

TEST_F(Registry, CancelsAndListsWhatDependsOnIt) {
  auto a = add();
  auto b = add({"T1"});
  auto c = add({"T2"});
  EXPECT_EQ(book.dependents_of(a), (std::vector<task_id>{b, c}));
  commit(cancel_task{a, "not wanted"});
  EXPECT_EQ(row(a).state, task_state::cancelled);
  EXPECT_TRUE(commit(cancel_task{a, ""}).empty());
  EXPECT_EQ(refusal(park_task{a, ""}).code, ec::task_closed);
}

TEST_F(Registry, CancelsAllThatDependsOnItInOneCommit) {
  auto a = add();
  auto b = add({"T1"});
  auto c = add({"T2"});
  auto other = add();
  open(c);
  auto done = add({"T1"});
  commit(cancel_task{done, "by hand"});
  auto d = commit(cancel_task{a, "cancelled by api", true});
  EXPECT_EQ(std::get<task_changed>(d.answer).task.id, a);
  // Three tasks, and the claim of the one that was held.
  EXPECT_EQ(d.write.rows.size(), 4u);
  for (const auto& id : {a, b, c})
    EXPECT_EQ(row(id).state, task_state::cancelled) << id;
  EXPECT_EQ(row(a).why, "cancelled by api");
  EXPECT_EQ(row(c).why, "cancelled by api with T1");
  EXPECT_EQ(row(done).why, "by hand");
  EXPECT_EQ(row(other).state, task_state::ready);
  EXPECT_FALSE(book.find_claim(c.text)->held);
  settle();
  EXPECT_TRUE(commit(cancel_task{a, "", true}).empty());
}

TEST_F(Registry, CancelsWhatIsLeftOfACascade) {
  auto a = add();
  auto b = add({"T1"});
  commit(cancel_task{a, "cancelled"});
  settle();
  EXPECT_EQ(row(b).why, "waits for T1 (cancelled)");
  auto d = commit(cancel_task{a, "cancelled", true});
  EXPECT_EQ(std::get<task_changed>(d.answer).task.id, a);
  EXPECT_EQ(row(b).state, task_state::cancelled);
}

TEST_F(Registry, CancelsNothingWhileOneOfThemIsDecidedAbout) {
  auto a = add();
  auto b = add({"T1"});
  auto busy = *book.decide(park_task{b, "wait"}, now);
  EXPECT_EQ(refusal(cancel_task{a, "", true}).code, ec::request_in_flight);
  EXPECT_FALSE(book.busy(a.text));
  EXPECT_EQ(row(a).state, task_state::ready);
  book.adopt(busy);
  commit(cancel_task{a, "", true});
  EXPECT_EQ(row(b).state, task_state::cancelled);
}

TEST_F(Registry, NamesWhatADependentWaitsForAndWhy) {
  auto a = add();
  auto b = add();
  auto c = add({"T1", "T2"});
  EXPECT_EQ(row(c).why, "waits for T1, T2");
  auto epoch = open(a).claim.epoch;
  commit(move_task{a, epoch, task_state::failed, "no way", {}});
  settle();
  EXPECT_EQ(row(c).why, "waits for T1 (failed), T2");
  commit(park_task{b, "look"});
  settle();
  EXPECT_EQ(row(c).why, "waits for T1 (failed), T2 (parked)");
  EXPECT_EQ(row(c).state, task_state::blocked);
  commit(retry_task{a});
  commit(retry_task{b});
  settle();
  EXPECT_EQ(row(c).why, "waits for T1, T2");
}

TEST_F(Registry, MovesASessionToAnotherNodeUnderANewEpoch) {
  auto id = add();
  auto got = open(id);
  auto d
    = commit(regrant_claim{"T1", got.session.id, node_name{"n2"}, "moved"});
  auto c = std::get<claim_changed>(d.answer).claim;
  EXPECT_EQ(c.epoch, got.claim.epoch + 1);
  EXPECT_EQ(c.node.text, "n2");
  EXPECT_EQ(row(id).epoch, c.epoch);
  auto other = regrant_claim{"T1", session_id{"app-9"}, node_name{"n2"}, ""};
  EXPECT_EQ(std::get<error>(commit(other).answer).code,
            ec::task_already_claimed);
}

TEST_F(Registry, ListsTheClaimsOfALostNodeAndExpiresThem) {
  auto id = add();
  auto epoch = open(id).claim.epoch;
  auto claims = book.claims_of(node_name{"local"});
  ASSERT_EQ(claims.size(), 1u);
  auto d = commit(release_claim{claims[0].subject, epoch, "lease lost", true});
  EXPECT_EQ(kinds(d),
            (std::vector<event_kind>{event_kind::claim_expired,
                                     event_kind::task_ready}));
  EXPECT_TRUE(book.claims_of(node_name{"local"}).empty());
}

TEST_F(Registry, GrantsARoleToOneSession) {
  open_session x;
  x.subject = "role/inc-1";
  x.role = session_role::mediator;
  x.prefix = "app";
  x.project = project_id{"app"};
  auto got = std::get<session_opened>(commit(x).answer);
  EXPECT_EQ(got.session.subject, "role/inc-1");
  EXPECT_EQ(std::get<error>(commit(x).answer).code, ec::task_already_claimed);
  commit(release_claim{"role/inc-1", got.claim.epoch, "closed", false});
  EXPECT_EQ(std::get<session_opened>(commit(x).answer).claim.epoch, 2u);
}
