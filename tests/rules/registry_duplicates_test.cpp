#include "runtime/rules/registry.hpp"
#include "tests/support/shared_row.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

using namespace ao;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

const wall_time now{milliseconds{1000}};
const project_id app{"app"};

/// A registry whose every write is committed at once.
class Suspicions : public testing::Test {
protected:
  explicit Suspicions(duplicate_policy policy = duplicate_policy::warn) {
    judge(book, policy);
  }

  static void judge(registry_book& of, duplicate_policy policy) {
    of.judge_duplicates({{app, policy}});
  }

  template <class Request>
  registry_decision commit(const Request& request) {
    auto d = book.decide(request, now);
    EXPECT_TRUE(d) << (d ? "" : to_string(d.error()));
    if (!d)
      return {};
    adopt(*d);
    return *d;
  }

  void adopt(const registry_decision& d) {
    for (const auto& e : d.write.events)
      events.push_back(e);
    auto effects = book.adopt(d);
    for (const auto& e : effects) {
      if (e.what == registry_effect::kind::settle)
        commit(settle_task{e.task});
      if (e.what == registry_effect::kind::task_ready)
        ready.push_back(e.task);
    }
  }

  static add_task titled(const std::string& title,
                         std::vector<std::string> needs = {},
                         const std::string& key = {}) {
    add_task x;
    x.project = app;
    x.title = title;
    x.needs = std::move(needs);
    x.key = key;
    return x;
  }

  task_id add(const std::string& title) {
    auto d = commit(titled(title));
    return std::get<tasks_added>(d.answer).tasks.at(0).id;
  }

  const task& row(const task_id& id) { return *book.find_task(id.text); }

  /// The events of suspicion so far.
  std::vector<event> told() const {
    std::vector<event> out;
    for (const auto& e : events)
      if (e.kind == event_kind::duplicate_suspected)
        out.push_back(e);
    return out;
  }

  registry_book book;
  std::vector<event> events;
  std::vector<task_id> ready;
};

class Held : public Suspicions {
protected:
  Held() : Suspicions(duplicate_policy::hold) {}
};

class Ignored : public Suspicions {
protected:
  Ignored() : Suspicions(duplicate_policy::off) {}
};

open_session spawn(const task_id& id) {
  open_session x;
  x.task = id;
  x.prefix = "app";
  x.node = node_name{"local"};
  return x;
}

const std::string crash = "Crash when the cart is empty";
const std::string same_crash = "Empty cart: crash";

} // namespace

TEST_F(Suspicions, NameBothSidesWithTheLaterTask) {
  auto first = add(crash);
  add("Another thing altogether");
  auto later = add(same_crash);
  EXPECT_THAT(row(first).suspects, IsEmpty());
  ASSERT_EQ(row(later).suspects.size(), 1u);
  const auto& s = row(later).suspects[0];
  EXPECT_EQ(s.other, first);
  EXPECT_EQ(s.title, crash);
  EXPECT_GE(s.score, 65);
  EXPECT_FALSE(s.hold);
  EXPECT_EQ(row(later).state, task_state::ready);
  ASSERT_EQ(told().size(), 1u);
  EXPECT_EQ(told()[0].subject, "task:" + later.text);
  for (const auto& part : {"\"task\":\"T3\"", "\"other\":\"T1\"",
                           "\"otherTitle\":", "\"score\":", "\"reason\":\"",
                           "\"policy\":\"warn\"", "\"project\":\"app\""})
    EXPECT_THAT(told()[0].data, HasSubstr(part));
}

TEST_F(Suspicions, AreOfOpenTasksOfOneProject) {
  auto closed = add(crash);
  commit(cancel_task{closed, "by hand"});
  auto elsewhere = titled(crash);
  elsewhere.project = project_id{"other"};
  commit(elsewhere);
  add(crash);
  EXPECT_THAT(told(), IsEmpty());
  // What is opened again is open again.
  commit(retry_task{closed});
  add(crash);
  EXPECT_EQ(told().size(), 2u);
}

TEST_F(Suspicions, AreFoundAgainstTasksThatAreStillBeingWritten) {
  auto one = *book.decide(titled(crash), now);
  auto two = *book.decide(titled(same_crash), now);
  adopt(one);
  adopt(two);
  ASSERT_EQ(row(task_id{"T2"}).suspects.size(), 1u);
  EXPECT_EQ(row(task_id{"T2"}).suspects[0].other.text, "T1");
}

TEST_F(Suspicions, ForgetATaskThatWasNotBorn) {
  auto repeat = *book.decide(titled(crash), now);
  book.abandon(repeat);
  add(crash);
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(Suspicions, AreFoundWithinOneImportButNotAmongOrderedTasks) {
  commit(add_tasks{{titled(crash, {}, "a"), titled(same_crash, {}, "b"),
                    titled("Parser hangs on nested quotes", {"d"}, "c"),
                    titled("Nested quotes hang the parser", {}, "d"),
                    titled("Wrong total in cart", {}, "e"),
                    titled("Wrong total of cart", {"e"}, "f")}});
  ASSERT_EQ(told().size(), 1u);
  EXPECT_EQ(told()[0].subject, "task:T2");
}

TEST_F(Suspicions, OfASwarmAreAtMostThree) {
  for (int i = 0; i < 10; ++i)
    add(crash);
  EXPECT_EQ(row(task_id{"T10"}).suspects.size(), 3u);
}

TEST_F(Suspicions, ComeBackFromTheRowsAndAreNotToldTwice) {
  add(crash);
  auto later = add(same_crash);
  registry_book again;
  judge(again, duplicate_policy::warn);
  again.load({shared(row(task_id{"T1"})), shared(row(later))}, {}, {});
  EXPECT_THAT(again.recover(), IsEmpty());
  suspect_tasks overlap{
    later, session_id{"app-2"},         task_id{"T1"}, session_id{"app-1"},
    80,    "both change the same lines"};
  auto d = again.decide(overlap, now);
  ASSERT_TRUE(d);
  EXPECT_TRUE(d->empty());
}

TEST_F(Suspicions, AreOfTasksOfAnEarlierLifeTooButNotOfClosedOnes) {
  add(crash);
  auto closed = add(same_crash);
  auto gone = row(closed);
  gone.state = task_state::cancelled;
  registry_book again;
  judge(again, duplicate_policy::warn);
  again.load({shared(row(task_id{"T1"})), shared(gone)}, {},
             {shared(counter{"task", 2, 2})});
  auto d = again.decide(titled(same_crash), now);
  ASSERT_TRUE(d);
  const auto& fresh = std::get<tasks_added>(d->answer).tasks.at(0);
  ASSERT_EQ(fresh.suspects.size(), 1u);
  EXPECT_EQ(fresh.suspects[0].other, task_id{"T1"});
}

TEST_F(Suspicions, OfOverlappingDiffsAreTheLaterTasksOnceWhoeverAsks) {
  auto first = add("Tidy the importer");
  auto later = add("Speed up queries");
  suspect_tasks overlap{first, session_id{"app-1"},
                        later, session_id{"app-2"},
                        80,    "both change the same lines in 4 of 5 places"};
  commit(overlap);
  ASSERT_EQ(row(later).suspects.size(), 1u);
  const auto& s = row(later).suspects[0];
  EXPECT_EQ(s.other, first);
  EXPECT_EQ(s.session.text, "app-2");
  EXPECT_EQ(s.other_session.text, "app-1");
  EXPECT_EQ(s.score, 80);
  std::swap(overlap.task, overlap.other);
  EXPECT_TRUE(commit(overlap).empty());
  EXPECT_EQ(told().size(), 1u);
  EXPECT_THAT(told()[0].data, HasSubstr("\"otherSession\":\"app-1\""));
}

TEST_F(Suspicions, OfOverlappingDiffsNeedTwoOpenTasksOfOneProject) {
  auto first = add("Tidy the importer");
  auto later = add("Speed up queries");
  auto asked = [](const task_id& a, const task_id& b) {
    return suspect_tasks{a,    session_id{"app-1"}, b, session_id{"app-2"}, 80,
                         "why"};
  };
  auto code = [&](const suspect_tasks& x) {
    auto d = book.decide(x, now);
    return d ? ec::none : d.error().code;
  };
  EXPECT_EQ(code(asked(first, first)), ec::bad_input);
  EXPECT_EQ(code(asked(first, task_id{"T9"})), ec::no_such_task);
  auto elsewhere = titled("x");
  elsewhere.project = project_id{"other"};
  commit(elsewhere);
  EXPECT_EQ(code(asked(first, task_id{"T3"})), ec::bad_input);
  commit(cancel_task{first, "by hand"});
  EXPECT_TRUE(commit(asked(first, later)).empty());
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(Held, TaskIsBlockedAndSaysByWhomAndHowItStarts) {
  add(crash);
  auto later = add(same_crash);
  EXPECT_EQ(row(later).state, task_state::blocked);
  EXPECT_THAT(row(later).why,
              HasSubstr("looks like T1 (Crash when the cart is empty): "));
  EXPECT_THAT(row(later).why, HasSubstr("`ao task retry T2`"));
  EXPECT_THAT(told()[0].data, HasSubstr("\"policy\":\"hold\""));
  EXPECT_THAT(ready, ElementsAre(task_id{"T1"}));
}

TEST_F(Held, TaskWaitsForOneThatIsStillBeingWritten) {
  auto one = *book.decide(titled(crash), now);
  auto two = *book.decide(titled(same_crash), now);
  adopt(one);
  adopt(two);
  EXPECT_EQ(row(task_id{"T2"}).state, task_state::blocked);
  EXPECT_THAT(ready, ElementsAre(task_id{"T1"}));
}

TEST_F(Held, TaskStartsWhenTheOtherIsClosed) {
  auto first = add(crash);
  auto later = add(same_crash);
  ready.clear();
  commit(cancel_task{first, "by hand"});
  EXPECT_EQ(row(later).state, task_state::ready);
  EXPECT_EQ(row(later).why, "");
  EXPECT_THAT(ready, ElementsAre(later));
}

TEST_F(Held, TaskStartsWhenAPersonRetriesItAndStaysReleased) {
  auto first = add(crash);
  auto later = add(same_crash);
  ready.clear();
  commit(retry_task{later});
  EXPECT_EQ(row(later).state, task_state::ready);
  EXPECT_THAT(ready, ElementsAre(later));
  ASSERT_EQ(row(later).suspects.size(), 1u);
  EXPECT_FALSE(row(later).suspects[0].hold);
  // Nothing changes any more.
  EXPECT_TRUE(commit(retry_task{later}).empty());
  EXPECT_TRUE(commit(settle_task{later}).empty());
  EXPECT_EQ(row(first).state, task_state::ready);
}

TEST_F(Held, TaskThatIsSpawnedQueuesWithTheReasonAndGoesOn) {
  add(crash);
  auto later = add(same_crash);
  auto opened = std::get<session_opened>(commit(spawn(later)).answer);
  EXPECT_EQ(opened.session.runtime, runtime_state::queued);
  EXPECT_THAT(opened.session.reason, HasSubstr("looks like T1"));
  EXPECT_EQ(row(later).state, task_state::blocked);
  ready.clear();
  commit(retry_task{later});
  EXPECT_EQ(row(later).state, task_state::claimed);
  EXPECT_THAT(ready, ElementsAre(later));
}

TEST_F(Held, TaskWaitsForItsNeedsAsWell) {
  auto first = add(crash);
  add("Something else");
  commit(titled(same_crash, {"T2"}));
  task_id later{"T3"};
  EXPECT_THAT(row(later).why, HasSubstr("waits for T2; looks like T1"));
  commit(retry_task{later});
  EXPECT_EQ(row(later).state, task_state::blocked);
  EXPECT_EQ(row(later).why, "waits for T2");
}

TEST_F(Held, TasksOfOneImportNeverWaitInACircle) {
  // c looks like a, which needs b, which looks like c or is looked like.
  commit(add_tasks{{titled(crash, {"b"}, "a"),
                    titled("Nested quotes hang the parser", {}, "b"),
                    titled("Parser hangs on nested quotes", {"d"}, "c"),
                    titled(same_crash, {}, "d")}});
  std::size_t open = 4;
  // Closing whatever is ready must bring them all to an end.
  while (open > 0) {
    std::size_t before = open;
    for (int n = 1; n <= 4; ++n) {
      task_id id{"T" + std::to_string(n)};
      if (row(id).state != task_state::ready)
        continue;
      auto opened = std::get<session_opened>(commit(spawn(id)).answer);
      commit(move_task{id, opened.claim.epoch, task_state::done, "", {}});
      --open;
    }
    ASSERT_LT(open, before) << "nothing can start";
  }
}

TEST_F(Held, TaskIsFoundAgainAfterARestart) {
  auto first = add(crash);
  auto later = add(same_crash);
  auto other = row(first);
  // The other was closed, and then the hub died before it looked around.
  other.state = task_state::done;
  registry_book again;
  judge(again, duplicate_policy::hold);
  again.load({shared(other), shared(row(later))}, {}, {});
  auto effects = again.recover();
  ASSERT_EQ(effects.size(), 1u);
  EXPECT_EQ(effects[0].what, registry_effect::kind::settle);
  EXPECT_EQ(effects[0].task, later);
}

TEST_F(Held, NothingThatRunsBecauseOfOverlappingDiffs) {
  auto first = add("Tidy the importer");
  auto later = add("Speed up queries");
  commit(suspect_tasks{first, session_id{"app-1"}, later, session_id{"app-2"},
                       100, "why"});
  EXPECT_EQ(row(later).state, task_state::ready);
  EXPECT_EQ(told().size(), 1u);
}

TEST_F(Ignored, ProjectsSuspectNothing) {
  auto first = add(crash);
  auto later = add(crash);
  commit(suspect_tasks{first, session_id{"app-1"}, later, session_id{"app-2"},
                       100, "why"});
  EXPECT_THAT(row(later).suspects, IsEmpty());
  EXPECT_THAT(told(), IsEmpty());
}
