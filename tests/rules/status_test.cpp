#include "runtime/rules/status.hpp"

#include <gtest/gtest.h>

#include <set>

using namespace ao;

namespace {

session live() {
  session s;
  s.id = session_id{"app-1"};
  s.run = 1;
  s.agent = "codex";
  s.runtime = runtime_state::alive;
  s.activity = activity_state::active;
  return s;
}

change open_one() {
  change c;
  c.id = change_id{"app#3"};
  c.head_sha = "0123456789abcdef";
  return c;
}

} // namespace

TEST(Status, ShowsTheFirstThatAppliesAndReachesEveryWord) {
  struct line {
    shown_status want;
    session s;
    std::optional<change> c;
    status_facts facts;
  };
  std::vector<line> lines;
  auto add = [&](shown_status want, auto edit) {
    line x{want, live(), {}, {}};
    edit(x);
    lines.push_back(std::move(x));
  };
  using st = shown_status;
  auto failed = [](std::string why) {
    exit_info e;
    e.failure = std::move(why);
    return e;
  };
  add(st::working, [](line&) {});
  add(st::working, [](line& x) { x.s.activity = activity_state::unknown; });
  add(st::idle, [](line& x) { x.s.activity = activity_state::ready; });
  add(st::idle, [](line& x) { x.s.runtime = runtime_state::exited; });
  add(st::queued, [](line& x) {
    x.s.runtime = runtime_state::queued;
    x.s.run = 0;
  });
  add(st::restarting, [](line& x) {
    x.s.runtime = runtime_state::queued;
    x.s.run = 1;
  });
  add(st::spawning, [](line& x) { x.s.runtime = runtime_state::provisioning; });
  add(st::restarting, [](line& x) { x.s.runtime = runtime_state::starting; });
  add(st::restarting, [&](line& x) {
    x.s.runtime = runtime_state::exited;
    x.s.exit = failed("crash");
    x.c = open_one();
  });
  add(st::rate_limited, [&](line& x) {
    x.s.runtime = runtime_state::exited;
    x.s.exit = failed("rate_limited");
  });
  add(st::rate_limited, [](line& x) { x.facts.rate_limited = true; });
  add(st::auth_blocked, [](line& x) {
    x.facts.auth_blocked = x.facts.rate_limited = true;
    x.s.needs_input = "?";
  });
  add(st::auth_blocked, [&](line& x) {
    x.s.runtime = runtime_state::exited;
    x.s.exit = failed("auth");
  });
  add(st::needs_input, [](line& x) {
    x.s.needs_input = "?";
    x.c = open_one();
    x.facts.stuck = true;
  });
  add(st::needs_input,
      [](line& x) { x.s.activity = activity_state::waiting_input; });
  add(st::stuck, [](line& x) {
    x.facts.stuck = true;
    x.c = open_one();
  });
  add(st::lost, [](line& x) {
    x.s.runtime = runtime_state::lost;
    x.s.needs_input = "?";
  });
  add(st::parked, [](line& x) { x.s.runtime = runtime_state::parked; });
  add(st::pr_open, [](line& x) { x.c = open_one(); });
  add(st::ci_failed, [](line& x) {
    x.c = open_one();
    x.c->ci = ci_state::failed;
    x.c->review = review_state::changes_requested;
  });
  add(st::changes_requested, [](line& x) {
    x.c = open_one();
    x.c->ci = ci_state::passed;
    x.c->review = review_state::changes_requested;
  });
  add(st::review_pending, [](line& x) {
    x.c = open_one();
    x.c->ci = ci_state::passed;
    x.c->review = review_state::pending;
  });
  add(st::working, [](line& x) {
    x.s.role = session_role::reviewer;
    x.c = open_one();
    x.c->ci = ci_state::failed;
  });
  add(st::approved, [](line& x) {
    x.c = open_one();
    x.c->review = review_state::approved;
  });
  add(st::mergeable, [](line& x) {
    x.c = open_one();
    x.c->ci = ci_state::none;
  });
  add(st::pr_open, [](line& x) {
    x.c = open_one();
    x.c->ci = ci_state::passed;
    x.c->merge = merge_state::conflict;
  });
  add(st::merged, [](line& x) {
    x.c = open_one();
    x.c->state = change_state::merged;
  });
  add(st::working, [](line& x) {
    x.c = open_one();
    x.c->state = change_state::closed;
  });
  const std::pair<session_end, st> ends[] = {
    {session_end::merged, st::merged},
    {session_end::done, st::done},
    {session_end::killed, st::killed},
    {session_end::errored, st::errored},
  };
  for (auto end : ends)
    add(end.second, [&](line& x) {
      x.s.end = end.first;
      x.s.runtime = runtime_state::parked;
      x.facts.auth_blocked = true;
    });
  std::set<st> seen;
  for (const auto& x : lines) {
    auto got = status_of(x.s, x.c ? &*x.c : nullptr, x.facts);
    EXPECT_EQ(got, x.want) << "want " << to_string(x.want) << ", got "
                           << to_string(got);
    seen.insert(got);
  }
  EXPECT_EQ(seen.size(), all_shown_statuses().size());
}

TEST(Status, IsDefinedForEveryCombinationOfFacets) {
  for (int runtime = 0; runtime <= 6; ++runtime)
    for (int activity = 0; activity <= 5; ++activity)
      for (int end = 0; end <= 4; ++end)
        for (int ci = 0; ci <= 4; ++ci)
          for (int review = 0; review <= 3; ++review)
            for (int merge = 0; merge <= 3; ++merge) {
              auto s = live();
              s.runtime = static_cast<runtime_state>(runtime);
              s.activity = static_cast<activity_state>(activity);
              s.end = static_cast<session_end>(end);
              auto c = open_one();
              c.ci = static_cast<ci_state>(ci);
              c.review = static_cast<review_state>(review);
              c.merge = static_cast<merge_state>(merge);
              auto shown = status_of(s, &c);
              ASSERT_NE(to_string(shown), "invalid");
              ASSERT_EQ(is_terminal(shown), is_terminal(s));
              ASSERT_EQ(summary_of(s, &c).find('\n'), std::string::npos);
            }
}

TEST(Status, SummarisesInOneLine) {
  auto s = live();
  EXPECT_EQ(summary_of(s, nullptr), "works");
  s.needs_input = "uncommitted changes:\n M a";
  EXPECT_EQ(summary_of(s, nullptr), "uncommitted changes:");
  s = live();
  auto c = open_one();
  c.ci = ci_state::failed;
  EXPECT_EQ(summary_of(s, &c), "app#3 failed CI on 0123456789ab");
  c.ci = ci_state::passed;
  c.review = review_state::pending;
  EXPECT_EQ(summary_of(s, &c), "app#3 waits for a review");
  c.review_reason = "app-2 was killed\nlong ago";
  EXPECT_EQ(summary_of(s, &c), "app#3 waits for a review: app-2 was killed");
  s.role = session_role::reviewer;
  s.change = c.id;
  s.head = c.head_sha;
  EXPECT_EQ(summary_of(s, &c), "reviews app#3 at 0123456789ab");
  s.role = session_role::worker;
  c.merge = merge_state::conflict;
  c.merge_reason = "conflict in a.cpp";
  EXPECT_EQ(summary_of(s, &c), "app#3 conflict in a.cpp");
}
