#include "runtime/rules/registry.hpp"
#include "runtime/rules/tasks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

using namespace ao;
using testing::Contains;
using testing::Not;

namespace {

const wall_time now{milliseconds{1000}};

/// A registry whose every write is committed at once, with two tasks that
/// `app-1` and `app-2` hold.
class Takeover : public testing::Test {
protected:
  Takeover() {
    for (const auto* title : {"First", "Second"}) {
      add_task x;
      x.project = project_id{"app"};
      x.title = title;
      commit(x);
    }
    first = opened(spawn("T1"));
    second = opened(spawn("T2"));
  }

  template <class Request>
  registry_decision commit(const Request& request) {
    auto d = book.decide(request, now);
    EXPECT_TRUE(d) << (d ? "" : to_string(d.error()));
    if (!d)
      return {};
    effects = book.adopt(*d);
    return *d;
  }

  static open_session spawn(const char* task) {
    open_session x;
    x.task = task_id{task};
    x.prefix = "app";
    x.node = node_name{"local"};
    x.agent = "scripted";
    x.base = "main";
    return x;
  }

  /// `app#1`, which `app-1` works on.
  static open_session takes_over(const char* gives_up = "") {
    auto x = spawn("T1");
    x.change = change_id{"app#1"};
    x.branch_template = "ao/app-1";
    x.took_over = session_id{"app-1"};
    x.gives_up = session_id{gives_up};
    return x;
  }

  session_opened opened(const open_session& request) {
    return std::get<session_opened>(commit(request).answer);
  }

  const task& row(const char* id) { return *book.find_task(id); }

  std::vector<session_id> told_to_end() const {
    std::vector<session_id> out;
    for (const auto& e : effects)
      if (e.what == registry_effect::kind::end_session)
        out.push_back(e.session);
    return out;
  }

  static std::vector<event_kind> kinds(const registry_decision& d) {
    std::vector<event_kind> out;
    for (const auto& e : d.write.events)
      out.push_back(e.kind);
    return out;
  }

  registry_book book;
  std::vector<registry_effect> effects;
  session_opened first;
  session_opened second;
};

} // namespace

TEST_F(Takeover, GrantsAHeldTaskAnewOnTheSameBranch) {
  auto d = commit(takes_over());
  auto& made = std::get<session_opened>(d.answer);
  EXPECT_EQ(made.session.id.text, "app-3");
  EXPECT_EQ(made.session.branch, "ao/app-1");
  EXPECT_EQ(made.session.change.text, "app#1");
  EXPECT_EQ(made.session.took_over.text, "app-1");
  EXPECT_EQ(made.session.epoch, first.session.epoch + 1);
  EXPECT_EQ(book.find_claim("T1")->session.text, "app-3");
  EXPECT_EQ(row("T1").session.text, "app-3");
  EXPECT_EQ(row("T1").state, task_state::claimed);
  // It is still the change of the task.
  EXPECT_EQ(row("T1").change.text, "app#1");
  EXPECT_THAT(kinds(d), Contains(event_kind::claim_released));
  EXPECT_THAT(kinds(d), Contains(event_kind::task_claimed));
  // Nobody else is concerned.
  EXPECT_EQ(book.find_claim("T2")->session.text, "app-2");
}

TEST_F(Takeover, EndsWhoeverHeldIt) {
  commit(takes_over());
  EXPECT_THAT(told_to_end(), testing::ElementsAre(session_id{"app-1"}));
  auto word = word_to_holder(row("T1"), first.session);
  ASSERT_TRUE(word);
  auto end = std::get_if<end_session>(&*word);
  ASSERT_NE(end, nullptr);
  EXPECT_EQ(end->end, session_end::killed);
  EXPECT_EQ(end->why, "T1 went to app-3");
  // Its words come too late.
  auto stale = book.decide(
    move_task{task_id{"T1"}, first.session.epoch, task_state::done, "", {}},
    now);
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, ec::stale_epoch);
}

TEST_F(Takeover, ParksWhatTheOtherAgentGivesUp) {
  auto d = commit(takes_over("app-2"));
  EXPECT_EQ(row("T2").state, task_state::parked);
  EXPECT_EQ(row("T2").why, "app-2 went to app#1");
  EXPECT_FALSE(book.find_claim("T2")->held);
  EXPECT_THAT(told_to_end(), Contains(session_id{"app-2"}));
  // One commit, so that a crash leaves none of it or all.
  std::size_t tasks = 0;
  std::size_t claims = 0;
  for (const auto& r : d.write.rows) {
    tasks += std::holds_alternative<task>(r) ? 1 : 0;
    claims += std::holds_alternative<claim>(r) ? 1 : 0;
  }
  EXPECT_EQ(tasks, 2u);
  EXPECT_EQ(claims, 2u);
  auto word = word_to_holder(row("T2"), second.session);
  ASSERT_TRUE(word);
  EXPECT_TRUE(std::holds_alternative<park_session>(*word));
}

TEST_F(Takeover, OfWhoeverHoldsItGivesNothingElseUp) {
  auto d = commit(takes_over("app-1"));
  EXPECT_EQ(row("T1").session.text, "app-3");
  EXPECT_THAT(kinds(d), Not(Contains(event_kind::task_parked)));
}

TEST_F(Takeover, WaitsForWhatIsBeingDecided) {
  auto under_way = book.decide(park_task{task_id{"T2"}, "by hand"}, now);
  ASSERT_TRUE(under_way);
  auto refused = book.decide(takes_over("app-2"), now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::request_in_flight);
  // It holds nothing back meanwhile.
  EXPECT_FALSE(book.busy("T1"));
  book.adopt(*under_way);
  EXPECT_TRUE(book.decide(takes_over("app-2"), now));
}

TEST_F(Takeover, TakesAParkedTaskUpAgain) {
  commit(park_task{task_id{"T1"}, "killed"});
  auto made = opened(takes_over());
  EXPECT_EQ(row("T1").state, task_state::claimed);
  EXPECT_EQ(made.session.epoch, first.session.epoch + 1);
}

TEST_F(Takeover, OfAClosedTaskIsRefused) {
  commit(cancel_task{task_id{"T1"}, "not wanted", false});
  auto refused = book.decide(takes_over("app-2"), now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::task_closed);
  EXPECT_EQ(book.find_claim("T2")->session.text, "app-2");
}

TEST_F(Takeover, WithoutAChangeAHeldTaskStaysRefused) {
  auto d = commit(spawn("T1"));
  auto refused = std::get_if<error>(&d.answer);
  ASSERT_NE(refused, nullptr);
  EXPECT_EQ(refused->code, ec::task_already_claimed);
}
