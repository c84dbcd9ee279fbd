#include "messages/json.hpp"
#include "runtime/store/store.hpp"
#include "tests/support/random_rows.hpp"
#include "tests/support/store_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

using namespace ao;
using namespace ao::test;
using testing::HasSubstr;

namespace {

class Store : public testing::Test {
protected:
  private_directory dir;
  std::string path = dir / "ao.db";
};

} // namespace

TEST_F(Store, KeepsRowsOfEachTableOverAReopen) {
  session s;
  s.id.text = "app-1";
  s.version = 1;
  s.exit = exit_info{};
  change c;
  c.id.text = "app#1";
  c.version = 1;
  ci_run r;
  r.key = "app#1/abc";
  r.version = 1;
  message m;
  m.id.text = "01J";
  m.version = 1;
  {
    auto db = opened(path);
    auto x
      = commit_one(db,
                   write_of({task_row("T1", 1), claim_row("T1", 1, 7, true), s,
                             c, r, counter{"task", 1, 1}, m}));
    ASSERT_TRUE(x) << to_string(x.error());
    EXPECT_EQ(x->first_seq, 0u);
  }
  auto rows = opened(path).load();
  ASSERT_TRUE(rows) << to_string(rows.error());
  ASSERT_EQ(rows->tasks.size(), 1u);
  EXPECT_EQ(dump(rows->tasks[0]), dump(task_row("T1", 1)));
  ASSERT_EQ(rows->claims.size(), 1u);
  EXPECT_EQ(rows->claims[0].epoch, 7u);
  ASSERT_EQ(rows->sessions.size(), 1u);
  EXPECT_TRUE(rows->sessions[0].exit);
  EXPECT_EQ(rows->changes.size(), 1u);
  EXPECT_EQ(rows->ci_runs.size(), 1u);
  EXPECT_EQ(rows->counters.at(0).last, 1u);
  EXPECT_EQ(rows->messages.size(), 1u);
}

TEST_F(Store, RefusesAVersionThatDoesNotFollow) {
  auto db = opened(path);
  ASSERT_TRUE(commit_one(db, write_of({task_row("T1", 1)})));
  for (auto version : {0, 1, 3}) {
    auto x = commit_one(db, write_of({task_row("T1", version)}));
    ASSERT_FALSE(x) << version;
    EXPECT_EQ(x.error().code, ec::guard_failed);
    EXPECT_THAT(x.error().context, HasSubstr("tasks T1: expected version"));
    EXPECT_THAT(x.error().context, HasSubstr("found 1"));
  }
  EXPECT_FALSE(commit_one(db, write_of({task_row("T2", 2)})));
  EXPECT_TRUE(commit_one(db, write_of({task_row("T1", 2)})));
  EXPECT_FALSE(db.broken());
}

TEST_F(Store, KeepsNothingOfARefusedWriteAndAllOfTheOthers) {
  auto db = opened(path);
  auto bad
    = write_of({task_row("T2", 1), task_row("T3", 9)}, {event_of("task:T2")});
  bad.request.text = "r2";
  auto answers = db.commit({write_of({task_row("T1", 1)}, {event_of("a")}), bad,
                            write_of({task_row("T4", 1)}, {event_of("b")})});
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_TRUE(answers[0]);
  ASSERT_FALSE(answers[1]);
  EXPECT_THAT(answers[1].error().context,
              HasSubstr("tasks T3: expected version 8, found 0"));
  EXPECT_TRUE(answers[2]);
  EXPECT_EQ(answers[2]->first_seq, 2u);
  EXPECT_EQ(db.load()->tasks.size(), 2u);
  EXPECT_EQ(db.events(0, 10)->size(), 2u);
  EXPECT_FALSE(*db.answer(request_id{"r2"}));
}

TEST_F(Store, LetsAWriteSeeTheOnesBeforeItInTheGroup) {
  auto db = opened(path);
  auto answers = db.commit({write_of({task_row("T1", 1, "first")}),
                            write_of({task_row("T1", 2, "second")}),
                            write_of({task_row("T1", 2, "too late")})});
  EXPECT_TRUE(answers[0] && answers[1]);
  EXPECT_FALSE(answers[2]);
  EXPECT_EQ(db.load()->tasks.at(0).title, "second");
}

TEST_F(Store, ChecksGuardsOnRowsThatTheWriteDoesNotTouch) {
  auto db = opened(path);
  ASSERT_TRUE(commit_one(db, write_of({claim_row("T1", 1, 7, true)})));
  auto guarded = [&](guard g) {
    auto w = write_of({counter{"c", 1, 1}});
    w.guards = {std::move(g)};
    return w;
  };
  auto epoch = guard::field::epoch;
  auto version = guard::field::version;
  auto stale = commit_one(db, guarded({table::claims, "T1", epoch, 6}));
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().context, "claims T1: expected epoch 6, found 7");
  auto none = commit_one(db, guarded({table::claims, "T9", epoch, 1}));
  EXPECT_EQ(none.error().context,
            "claims T9: expected epoch 1, found no claim");
  EXPECT_FALSE(commit_one(db, guarded({table::tasks, "T1", version, 1})));
  EXPECT_EQ(
    commit_one(db, guarded({table::tasks, "T1", epoch, 1})).error().code,
    ec::internal);
  EXPECT_TRUE(commit_one(db, guarded({table::claims, "T1", epoch, 7})));

  ASSERT_TRUE(commit_one(db, write_of({claim_row("T1", 2, 7, false)})));
  auto released = commit_one(db, guarded({table::claims, "T1", epoch, 7}));
  EXPECT_EQ(released.error().context,
            "claims T1: expected epoch 7, found 7 (released)");
}

TEST_F(Store, GivesARepeatedRequestItsFirstAnswer) {
  auto w = write_of({task_row("T1", 1)}, {event_of("task:T1")});
  w.request.text = "01ABC";
  w.answer = R"({"task":"T1"})";
  {
    auto db = opened(path);
    auto again = w;
    again.answer = "other";
    auto answers = db.commit({w, again});
    EXPECT_FALSE(answers[0]->repeated);
    EXPECT_TRUE(answers[1]->repeated);
    EXPECT_EQ(answers[1]->answer, w.answer);
  }
  auto db = opened(path);
  auto x = commit_one(db, w);
  ASSERT_TRUE(x) << to_string(x.error());
  EXPECT_TRUE(x->repeated);
  EXPECT_EQ(x->answer, w.answer);
  EXPECT_EQ(*db.answer(w.request), w.answer);
  EXPECT_EQ(db.last_seq(), 1u);
}

TEST_F(Store, ForgetsOldRequests) {
  auto db = opened(path);
  auto w = write_of({});
  w.request.text = "01ABC";
  ASSERT_TRUE(commit_one(db, w));
  EXPECT_EQ(*db.purge_requests(wall_now() - milliseconds{3'600'000}), 0u);
  EXPECT_EQ(*db.purge_requests(wall_now() + milliseconds{3'600'000}), 1u);
  EXPECT_FALSE(*db.answer(w.request));
}

TEST_F(Store, NumbersEventsWithoutGapOverAReopen) {
  auto refused = write_of({task_row("T9", 9)}, {event_of("task:T9")});
  {
    auto db = opened(path);
    auto answers = db.commit(
      {write_of({}, {event_of("hub"), event_of("task:T1")}), refused,
       write_of({}, {event_of("task:T1", event_kind::merged)})});
    EXPECT_EQ(answers[0]->first_seq, 1u);
    EXPECT_EQ(answers[2]->first_seq, 3u);
  }
  auto db = opened(path);
  EXPECT_EQ(db.last_seq(), 3u);
  EXPECT_EQ(commit_one(db, write_of({}, {event_of("hub")}))->first_seq, 4u);
  auto of_task = db.events(0, 10, "task:T1");
  ASSERT_EQ(of_task->size(), 2u);
  EXPECT_EQ(of_task->at(1).seq, 3u);
  EXPECT_EQ(of_task->at(1).kind, event_kind::merged);
  EXPECT_EQ(of_task->at(1).at, event_of("").at);
  EXPECT_EQ(db.events(1, 2)->front().seq, 2u);
  EXPECT_EQ(db.events(1, 2)->size(), 2u);
  EXPECT_EQ(db.last_events(2)->front().seq, 3u);
}

TEST_F(Store, RefusesACursorOfPurgedEventsAndNeverReusesASeq) {
  {
    auto db = opened(path);
    std::vector<event> events(5, event_of("hub"));
    for (std::size_t i = 0; i < events.size(); ++i)
      events[i].at = wall_time{milliseconds{i * 1000}};
    ASSERT_TRUE(commit_one(db, write_of({}, events)));
    EXPECT_EQ(*db.purge_events(wall_time{milliseconds{2000}}), 2u);
    EXPECT_EQ(*db.oldest_seq(), 3u);
    EXPECT_EQ(db.events(1, 10).error().code, ec::cursor_too_old);
    EXPECT_EQ(db.events(2, 10)->size(), 3u);
    EXPECT_EQ(db.events(0, 10)->size(), 3u);
    EXPECT_EQ(*db.purge_events(wall_now()), 2u);
  }
  auto db = opened(path);
  EXPECT_EQ(db.last_seq(), 5u);
  EXPECT_EQ(*db.oldest_seq(), 5u);
}

TEST_F(Store, CountsTheSizesOfItsGroups) {
  auto db = opened(path);
  EXPECT_TRUE(db.commit({}).empty());
  db.commit({write_of({}), write_of({})});
  db.commit(std::vector<store_write>(max_group + 1));
  EXPECT_EQ(db.group_sizes()[0], 0u);
  EXPECT_EQ(db.group_sizes()[2], 1u);
  EXPECT_EQ(db.group_sizes()[max_group], 1u);
}

TEST_F(Store, KeepsTextThatIsNoText) {
  auto db = opened(path);
  auto nul = std::string{"a\0b", 3};
  ASSERT_TRUE(commit_one(db, write_of({task_row("T1", 1, nul + "\xe9'\"")})));
  EXPECT_EQ(db.load()->tasks.at(0).title, nul + "\xef\xbf\xbd'\"");
}

TEST_F(Store, BacksUpWhileItRuns) {
  auto db = opened(path);
  ASSERT_TRUE(commit_one(db, write_of({task_row("T1", 1)}, {event_of("x")})));
  auto copy = dir / "copy.db";
  auto x = db.backup(copy);
  ASSERT_TRUE(x) << to_string(x.error());
  EXPECT_FALSE(db.backup(copy));
  EXPECT_FALSE(db.broken());
  auto second = opened(copy);
  EXPECT_EQ(second.load()->tasks.size(), 1u);
  EXPECT_EQ(second.last_seq(), 1u);
}

TEST_F(Store, MovesItsLogIntoTheDatabase) {
  open_options small;
  small.checkpoint_pages = 4;
  auto db = opened(path, small);
  for (int i = 1; i <= 50; ++i)
    ASSERT_TRUE(commit_one(
      db, write_of({task_row("T1", static_cast<std::uint64_t>(i))})));
  EXPECT_LT(std::filesystem::file_size(path + "-wal"), 200'000u);
}

namespace {

/// What the store should be, said simply.
struct model {
  std::map<std::string, std::pair<std::uint64_t, std::string>> tasks;
  std::map<std::string, std::string> requests;
  std::uint64_t last_seq = 0;

  /// The answer expected: committed, repeated or refused.
  enum class fate { written, repeated, refused };

  fate apply(const store_write& w) {
    if (!w.request.empty() && requests.count(w.request.text) != 0)
      return fate::repeated;
    for (const auto& g : w.guards)
      if (version(g.key) != g.equals)
        return fate::refused;
    auto next = tasks;
    for (const auto& r : w.rows) {
      const auto& t = std::get<task>(r);
      auto& [version, title] = next[t.id.text];
      if (t.version != version + 1)
        return fate::refused;
      version = t.version;
      title = t.title;
    }
    tasks = next;
    last_seq += w.events.size();
    if (!w.request.empty())
      requests[w.request.text] = w.answer;
    return fate::written;
  }

  std::uint64_t version(const std::string& key) const {
    auto i = tasks.find(key);
    return i == tasks.end() ? 0 : i->second.first;
  }
};

store_write any_write() {
  auto some = [](int n) { return *rc::gen::inRange(0, n); };
  auto key = [&] { return "T" + std::to_string(some(3)); };
  store_write w;
  for (auto n = some(4); n > 0; --n)
    w.rows.push_back(task_row(key(), 1 + static_cast<std::uint64_t>(some(3)),
                              std::to_string(some(100))));
  for (auto n = some(2); n > 0; --n)
    w.guards.push_back({table::tasks, key(), guard::field::version,
                        static_cast<std::uint64_t>(some(3))});
  w.events.resize(static_cast<std::size_t>(some(3)), event_of("hub"));
  if (some(3) == 0) {
    w.request.text = "r" + std::to_string(some(4));
    w.answer = std::to_string(some(100));
  }
  return w;
}

} // namespace

RC_GTEST_PROP(StoreProperty, DoesWhatASimpleModelDoes, ()) {
  private_directory dir;
  auto db = opened(dir / "ao.db");
  model m;
  for (auto groups = *rc::gen::inRange(1, 6); groups > 0; --groups) {
    std::vector<store_write> group;
    for (auto n = *rc::gen::inRange(1, 8); n > 0; --n)
      group.push_back(any_write());
    auto answers = db.commit(group);
    RC_ASSERT(answers.size() == group.size());
    for (std::size_t i = 0; i < group.size(); ++i) {
      auto before = m.last_seq;
      auto fate = m.apply(group[i]);
      RC_ASSERT(answers[i].has_value() == (fate != model::fate::refused));
      if (!answers[i]) {
        RC_ASSERT(answers[i].error().code == ec::guard_failed);
        continue;
      }
      RC_ASSERT(answers[i]->repeated == (fate == model::fate::repeated));
      if (answers[i]->repeated)
        RC_ASSERT(answers[i]->answer == m.requests[group[i].request.text]);
      else if (!group[i].events.empty())
        RC_ASSERT(answers[i]->first_seq == before + 1);
    }
  }
  RC_ASSERT(db.last_seq() == m.last_seq);
  auto rows = db.load();
  RC_ASSERT(rows->tasks.size() == m.tasks.size());
  for (const auto& t : rows->tasks)
    RC_ASSERT((m.tasks[t.id.text] == std::pair{t.version, t.title}));
}
