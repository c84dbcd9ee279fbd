#include "runtime/store/natural_order.hpp"
#include "runtime/store/row_view.hpp"
#include "runtime/store/store.hpp"
#include "tests/support/store_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <thread>

using namespace ao;
using namespace ao::test;
using testing::ElementsAre;

namespace {

/// Publishes writes as if the store had committed each of them.
void publish(row_view& view, std::vector<store_write> writes) {
  std::vector<result<store_written>> written;
  auto seq = view.events().last_seq();
  for (const auto& w : writes) {
    store_written x;
    x.first_seq = w.events.empty() ? 0 : seq + 1;
    seq += w.events.size();
    written.emplace_back(x);
  }
  view.publish(std::move(writes), written);
}

change change_row(std::uint64_t n, const std::string& branch,
                  change_state state = change_state::open) {
  change c;
  c.project.text = "app";
  c.number = n;
  c.id = make_change_id(c.project, n);
  c.version = 1;
  c.branch = branch;
  c.session.text = "session-of-" + branch;
  c.state = state;
  return c;
}

std::vector<std::uint64_t> seqs(const std::vector<event_ptr>& events) {
  std::vector<std::uint64_t> out;
  for (const auto& e : events)
    out.push_back(e->seq);
  return out;
}

} // namespace

TEST(NaturalOrder, CountsAsPeopleDo) {
  std::vector<std::string> names{"b",   "a10", "a2",  "a",   "a02",
                                 "a2b", "",    "a-1", "a2#", "10"};
  std::sort(names.begin(), names.end(), natural_less{});
  EXPECT_THAT(
    names,
    ElementsAre("", "10", "a", "a-1", "a2", "a2#", "a2b", "a02", "a10", "b"));
}

RC_GTEST_PROP(NaturalOrder, IsATotalOrder, ()) {
  auto text = rc::gen::container<std::string>(
    rc::gen::element('0', '1', '2', 'a', '#', '\xe9'));
  auto a = *text;
  auto b = *text;
  auto c = *text;
  natural_less less;
  RC_ASSERT(less(a, b) + less(b, a) == (a == b ? 0 : 1));
  if (less(a, b) && less(b, c))
    RC_ASSERT(less(a, c));
}

/// Runs of digits as numbers of one width, so that plain order is the natural
/// one; only for numbers without zeros in front.
std::string with_wide_numbers(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    auto end = text.find_first_not_of("0123456789", i);
    auto digits = text.substr(i, end - i);
    if (digits.empty()) {
      out += text[i++];
      continue;
    }
    out += std::string(20 - digits.size(), '0') + digits;
    i += digits.size();
  }
  return out;
}

RC_GTEST_PROP(NaturalOrder, IsThatOfNumbersOfOneWidth, ()) {
  auto text = rc::gen::map(
    rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("1", "2", "11", "30", "a", "z")),
    [](const std::vector<std::string>& parts) {
      std::string out;
      for (const auto& p : parts)
        if (out.size() < 18)
          out += p;
      return out;
    });
  auto a = *text;
  auto b = *text;
  RC_ASSERT(natural_less{}(a, b)
            == (with_wide_numbers(a) < with_wide_numbers(b)));
}

TEST(RowView, ShowsWhatWasLoadedOfAnyKeys) {
  store_rows rows;
  for (const auto* key : {"T1", "T10", "T2", "X3", "T20", "X1", "T3", "A100"})
    rows.tasks.push_back(task_row(key, 1));
  row_view view;
  view.load(std::move(rows), {}, 0);
  std::vector<std::string> ids;
  for (const auto& t : view.all<task>())
    ids.push_back(t->id.text);
  EXPECT_THAT(ids,
              ElementsAre("A100", "T1", "T2", "T3", "T10", "T20", "X1", "X3"));
  EXPECT_EQ(view.find_task_by_key("app/task:X3")->id.text, "X3");
}

TEST(RowView, FindsRowsByKeyAndListsThemInNaturalOrder) {
  row_view view;
  publish(view,
          {write_of({task_row("T10", 1), task_row("T9", 1)}),
           write_of({task_row("T1", 1)})});
  EXPECT_EQ(view.find<task>("T9")->id.text, "T9");
  EXPECT_FALSE(view.find<task>("T2"));
  EXPECT_FALSE(view.find<session>("T9"));
  std::vector<std::string> ids;
  for (const auto& t : view.all<task>())
    ids.push_back(t->id.text);
  EXPECT_THAT(ids, ElementsAre("T1", "T9", "T10"));
  EXPECT_EQ(view.count<task>(), 3u);
  EXPECT_EQ(view.count<claim>(), 0u);
}

TEST(RowView, KeepsWhatAReaderHolds) {
  row_view view;
  publish(view, {write_of({task_row("T1", 1, "old")})});
  auto held = view.find<task>("T1");
  publish(view, {write_of({task_row("T1", 2, "new")})});
  EXPECT_EQ(held->title, "old");
  EXPECT_EQ(view.find<task>("T1")->title, "new");
}

TEST(RowView, FindsATaskByItsCanonicalKey) {
  row_view view;
  publish(view, {write_of({task_row("T1", 1)})});
  EXPECT_EQ(view.find_task_by_key("app/task:T1")->id.text, "T1");
  EXPECT_EQ(view.find_task_by_key("T1")->id.text, "T1");
  EXPECT_FALSE(view.find_task_by_key("app/task:T2"));
  auto moved = task_row("T1", 2);
  moved.key = "app/file:backlog.md#7";
  publish(view, {write_of({moved})});
  EXPECT_FALSE(view.find_task_by_key("app/task:T1"));
  EXPECT_EQ(view.find_task_by_key(moved.key)->version, 2u);
}

TEST(RowView, KnowsWhichTasksWereSuspectedAsWhich) {
  row_view view;
  auto suspected = [](const std::string& id, std::uint64_t version,
                      std::vector<std::string> others) {
    auto t = task_row(id, version);
    for (auto& other : others) {
      t.suspects.emplace_back();
      t.suspects.back().other.text = other;
    }
    return t;
  };
  auto ids = [](const std::vector<row_ptr<task>>& rows) {
    std::vector<std::string> out;
    for (const auto& t : rows)
      out.push_back(t->id.text);
    return out;
  };
  publish(view,
          {write_of({task_row("T1", 1), suspected("T10", 1, {"T1"}),
                     suspected("T9", 1, {"T1", "T10"})})});
  EXPECT_THAT(ids(view.suspected_as(task_id{"T1"})), ElementsAre("T10", "T9"));
  EXPECT_THAT(ids(view.suspected_as(task_id{"T10"})), ElementsAre("T9"));
  EXPECT_THAT(ids(view.suspected_as(task_id{"T9"})), ElementsAre());
  EXPECT_THAT(ids(view.suspected_tasks()), ElementsAre("T9", "T10"));
  auto closed = suspected("T9", 2, {"T1", "T10"});
  closed.state = task_state::cancelled;
  publish(view, {write_of({closed})});
  EXPECT_THAT(ids(view.suspected_as(task_id{"T10"})), ElementsAre("T9"));
  EXPECT_THAT(ids(view.suspected_tasks()), ElementsAre("T10"));
}

TEST(RowView, KnowsWhichClaimsAreHeldAndWhere) {
  row_view view;
  auto remote = claim_row("T2", 1, 1, true);
  remote.node.text = "n2";
  publish(view,
          {write_of({claim_row("T1", 1, 1, true), remote,
                     claim_row("T3", 1, 1, true)})});
  EXPECT_EQ(view.held_claim("T1")->epoch, 1u);
  EXPECT_EQ(view.claims_of(node_name{"local"}).size(), 2u);
  EXPECT_EQ(view.claims_of(node_name{"n2"}).size(), 1u);
  EXPECT_TRUE(view.claims_of(node_name{"n"}).empty());

  publish(view, {write_of({claim_row("T1", 2, 1, false)})});
  EXPECT_FALSE(view.held_claim("T1"));
  EXPECT_TRUE(view.find<claim>("T1"));
  EXPECT_EQ(view.claims_of(node_name{"local"}).at(0)->subject, "T3");

  auto moved = claim_row("T2", 2, 2, true);
  publish(view, {write_of({moved})});
  EXPECT_TRUE(view.claims_of(node_name{"n2"}).empty());
  EXPECT_EQ(view.claims_of(node_name{"local"}).size(), 2u);
}

TEST(RowView, KnowsTheOpenChangeOfABranchAndOfASession) {
  row_view view;
  publish(view, {write_of({change_row(10, "b"), change_row(2, "a")})});
  auto project = project_id{"app"};
  EXPECT_EQ(view.open_change(project, "a")->number, 2u);
  EXPECT_EQ(view.open_change(session_id{"session-of-b"})->number, 10u);
  EXPECT_FALSE(view.open_change(project_id{"other"}, "a"));
  EXPECT_EQ(view.changes_of(project).at(0)->number, 2u);
  EXPECT_EQ(view.changes_of(project).at(1)->number, 10u);
  EXPECT_TRUE(view.changes_of(project_id{"ap"}).empty());

  // Another change of the branch opens before the first is known as merged.
  publish(view, {write_of({change_row(11, "a")})});
  auto merged = change_row(2, "a", change_state::merged);
  merged.version = 2;
  publish(view, {write_of({merged})});
  EXPECT_EQ(view.open_change(project, "a")->number, 11u);
  EXPECT_EQ(view.open_change(session_id{"session-of-a"})->number, 11u);
  auto closed = change_row(11, "a", change_state::closed);
  closed.version = 2;
  publish(view, {write_of({closed})});
  EXPECT_FALSE(view.open_change(project, "a"));
  EXPECT_FALSE(view.open_change(session_id{"session-of-a"}));
  EXPECT_EQ(view.changes_of(project).size(), 3u);
}

TEST(RowView, TakesOnlyWhatTheStoreHasCommittedNow) {
  private_directory dir;
  auto db = opened(dir / "ao.db");
  row_view view;
  auto once = write_of({task_row("T1", 1)}, {event_of("task:T1")});
  once.request.text = "r";
  auto bad = write_of({task_row("T2", 5)}, {event_of("task:T2")});
  std::vector<store_write> group{
    once, once, bad, write_of({task_row("T3", 1)}, {event_of("task:T3")})};
  auto written = db.commit(group);
  view.publish(group, written);
  EXPECT_EQ(view.count<task>(), 2u);
  EXPECT_THAT(seqs(*view.events().events_after(0, 10)), ElementsAre(1, 2));

  row_view reloaded;
  reloaded.load(*db.load(), *db.last_events(event_feed::capacity),
                db.last_seq());
  EXPECT_EQ(reloaded.count<task>(), 2u);
  EXPECT_TRUE(reloaded.find_task_by_key("app/task:T3"));
  EXPECT_THAT(seqs(*reloaded.events().events_after(0, 10)), ElementsAre(1, 2));
}

TEST(RowView, ForgetsAtALoadWhatTheDatabaseHasNot) {
  row_view view;
  publish(view,
          {write_of({task_row("T1", 1), claim_row("T1", 1, 1, true)},
                    {event_of("task:T1")})});
  view.load({}, {}, 0);
  EXPECT_FALSE(view.find<task>("T1"));
  EXPECT_FALSE(view.find_task_by_key("app/task:T1"));
  EXPECT_TRUE(view.claims_of(node_name{"local"}).empty());
  EXPECT_EQ(view.events().last_seq(), 0u);
}

TEST(RowView, ShowsAGroupWhollyOrNotAtAll) {
  row_view view;
  publish(view, {write_of({counter{"c0", 1, 0}, counter{"c1", 1, 0}})});
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0};
  std::thread reader([&] {
    while (!stop) {
      auto rows = view.all<counter>();
      if (rows[0]->last != rows[1]->last)
        ++torn;
    }
  });
  for (std::uint64_t n = 1; n <= 5000; ++n)
    publish(view,
            {write_of({counter{"c0", n + 1, n}}),
             write_of({counter{"c1", n + 1, n}})});
  stop = true;
  reader.join();
  EXPECT_EQ(torn, 0);
}

TEST(EventFeed, SaysWhenItDoesNotReachBack) {
  row_view view;
  auto& feed = view.events();
  EXPECT_TRUE(feed.events_after(0, 10)->empty());
  for (std::size_t i = 0; i < event_feed::capacity + 10; ++i)
    publish(view, {write_of({}, {event_of("hub")})});
  EXPECT_FALSE(feed.events_after(0, 10));
  EXPECT_FALSE(feed.events_after(9, 10));
  EXPECT_THAT(seqs(*feed.events_after(10, 2)), ElementsAre(11, 12));
  EXPECT_TRUE(feed.events_after(feed.last_seq(), 10)->empty());
  EXPECT_TRUE(feed.events_after(feed.last_seq() + 5, 10)->empty());
}

TEST(EventFeed, PicksOneSubject) {
  row_view view;
  publish(
    view,
    {write_of(
      {}, {event_of("task:T1"), event_of("task:T2"), event_of("task:T1")})});
  auto events = view.events().events_after(0, 10, "task:T1");
  EXPECT_THAT(seqs(*events), ElementsAre(1, 3));
}

TEST(EventFeed, DoesNotPretendToReachBehindAnEmptyTail) {
  row_view view;
  view.load({}, {}, 7);
  EXPECT_EQ(view.events().last_seq(), 7u);
  EXPECT_FALSE(view.events().events_after(6, 10));
  EXPECT_TRUE(view.events().events_after(7, 10)->empty());
}

TEST(EventFeed, TellsEachGroupOnceWithItsNewestSeq) {
  row_view view;
  std::vector<std::uint64_t> told;
  auto sub = view.events().subscribe([&](std::uint64_t seq) {
    // What is told can be read already, and reading does not block.
    EXPECT_EQ(view.events().last_seq(), seq);
    EXPECT_TRUE(view.find<task>("T1"));
    told.push_back(seq);
  });
  publish(view,
          {write_of({task_row("T1", 1)}, {event_of("a")}),
           write_of({}, {event_of("b"), event_of("c")})});
  publish(view, {write_of({task_row("T1", 2)})});
  EXPECT_THAT(told, ElementsAre(3));
  sub = {};
  publish(view, {write_of({}, {event_of("d")})});
  EXPECT_THAT(told, ElementsAre(3));
}

TEST(EventFeed, LetsACallbackEndItsOwnSubscription) {
  row_view view;
  auto told = 0;
  subscription first;
  first = view.events().subscribe([&](std::uint64_t) {
    ++told;
    first = {};
  });
  auto second = view.events().subscribe([&](std::uint64_t) { ++told; });
  publish(view, {write_of({}, {event_of("a")})});
  publish(view, {write_of({}, {event_of("b")})});
  EXPECT_EQ(told, 3);
}

TEST(RowView, FindsTheChecksOfAChange) {
  row_view view;
  std::vector<store_write> writes;
  for (const auto* key : {"app#1/aa", "app#1/1b", "app#1/aa/merge", "app#10/aa",
                          "app#11/aa", "app#2/aa", "bpp#1/aa", "app/1/aa"}) {
    ci_run run;
    run.key = key;
    run.version = 1;
    writes.push_back(write_of({run}));
  }
  publish(view, std::move(writes));
  std::vector<std::string> found;
  for (const auto& run : view.ci_runs_of(change_id{"app#1"}))
    found.push_back(run->key);
  EXPECT_THAT(found, ElementsAre("app#1/1b", "app#1/aa", "app#1/aa/merge"));
  EXPECT_TRUE(view.ci_runs_of(change_id{"app#3"}).empty());
}

TEST(RowView, KnowsWhatAChannelHasStillToSend) {
  auto row = [](const std::string& channel, std::uint64_t number,
                notification_state state, std::uint64_t version) {
    notification n;
    n.channel = channel;
    n.id = channel + "/inc-1/" + std::to_string(number);
    n.version = version;
    n.state = state;
    return n;
  };
  auto pending = [](const row_view& view, const std::string& channel) {
    std::vector<std::string> out;
    for (const auto& n : view.pending_notifications(channel))
      out.push_back(n->id);
    return out;
  };
  constexpr auto open = notification_state::pending;
  row_view view;
  publish(view,
          {write_of({row("a", 1, open, 1), row("a", 2, open, 1),
                     row("ab", 1, open, 1)})});
  EXPECT_THAT(pending(view, "a"), ElementsAre("a/inc-1/1", "a/inc-1/2"));
  publish(view, {write_of({row("a", 1, notification_state::accepted, 2)})});
  EXPECT_THAT(pending(view, "a"), ElementsAre("a/inc-1/2"));
  EXPECT_THAT(pending(view, "ab"), ElementsAre("ab/inc-1/1"));
  EXPECT_EQ(view.notifications_of("a").size(), 2u);
  store_rows again;
  again.notifications = std::vector{row("a", 3, open, 1)};
  view.load(again, {}, 0);
  EXPECT_THAT(pending(view, "a"), ElementsAre("a/inc-1/3"));
  EXPECT_TRUE(pending(view, "ab").empty());
}

TEST(RowView, FindsAnIncidentByWhatNamesItAlsoAfterALoad) {
  incident i;
  i.id.text = "inc-1";
  i.version = 1;
  i.fingerprint = "T1/ci_failed";
  store_rows rows;
  rows.incidents = std::vector{i};
  row_view view;
  view.load(rows, {}, 0);
  ASSERT_TRUE(view.incident_called("T1/ci_failed"));
  EXPECT_EQ(view.incident_called("T1/ci_failed")->id, i.id);
}

TEST(EventFeed, NeverCallsAfterASubscriptionHasEnded) {
  row_view view;
  std::atomic<bool> stop{false};
  std::thread owner([&] {
    while (!stop)
      publish(view, {write_of({}, {event_of("a")})});
  });
  for (int i = 0; i < 200; ++i) {
    std::atomic<bool> alive{true};
    std::atomic<int> calls{0};
    auto sub = view.events().subscribe([&](std::uint64_t) {
      EXPECT_TRUE(alive);
      ++calls;
    });
    while (calls == 0)
      std::this_thread::yield();
    sub = {};
    alive = false;
  }
  stop = true;
  owner.join();
}

TEST(RowView, KnowsWhetherADatabaseHoldsWhatItShows) {
  row_view view;
  publish(view,
          {write_of({task_row("T1", 1), claim_row("T1", 1, 1, true)},
                    {event_of("task:T1")})});
  auto rows = [](std::uint64_t version) {
    store_rows out;
    out.tasks.push_back(task_row("T1", version));
    out.claims.push_back(claim_row("T1", 1, 1, true));
    return out;
  };
  EXPECT_TRUE(view.shows(rows(1), 1));
  EXPECT_FALSE(view.shows(rows(2), 1));
  EXPECT_FALSE(view.shows(rows(1), 2));
  EXPECT_FALSE(view.shows({}, 1));
  auto more = rows(1);
  more.tasks.push_back(task_row("T2", 1));
  EXPECT_FALSE(view.shows(more, 1));
}

TEST(RowView, SaysWhyItsRowsCannotChange) {
  row_view view;
  EXPECT_FALSE(view.trouble());
  view.set_trouble(store_trouble{wall_now(), "the disk is full"});
  ASSERT_TRUE(view.trouble());
  EXPECT_EQ(view.trouble()->why, "the disk is full");
  view.set_trouble({});
  EXPECT_FALSE(view.trouble());
}
