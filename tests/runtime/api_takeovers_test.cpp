#include "runtime/api/takeovers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using testing::HasSubstr;

namespace ao::api {
namespace {

/// `app#1` of T1, which app-1 works on; app-2 works on T2.
class ApiTakeovers : public ::testing::Test {
protected:
  ApiTakeovers() {
    agent_settings scripted;
    scripted.name = "scripted";
    scripted.adapter = "command";
    scripted.command = {"/opt/agent"};
    all.agents["scripted"] = scripted;
    all.defaults.agent = "scripted";
    for (const auto* id : {"app", "web"}) {
      project_settings p;
      p.id = project_id{id};
      p.path = std::string{"/src/"} + id;
      p.session_prefix = id;
      all.projects[p.id] = p;
    }
    add_session("app-1", "T1");
    add_session("app-2", "T2");
    stored.changes.push_back(change_of("app#1", "app-1", "T1"));
    at(0).change = change_id{"app#1"};
  }

  static change change_of(const char* id, const char* session,
                          const char* task) {
    change c;
    c.id = change_id{id};
    c.project = project_id{"app"};
    c.session = session_id{session};
    c.task = task_id{task};
    c.branch = std::string{"ao/"} + session;
    return c;
  }

  void add_session(const char* id, const char* of) {
    session s;
    s.id = session_id{id};
    s.project = project_id{"app"};
    s.task = task_id{of};
    s.subject = of;
    s.epoch = 1;
    s.run = 1;
    s.agent = "scripted";
    s.branch = std::string{"ao/"} + id;
    s.runtime = runtime_state::alive;
    sessions.push_back(s);
    task t;
    t.id = s.task;
    t.project = s.project;
    t.title = "Title";
    t.key = "app/" + t.id.text;
    t.state = task_state::claimed;
    t.session = s.id;
    stored.tasks.push_back(t);
    claim c;
    c.subject = of;
    c.session = s.id;
    c.epoch = 1;
    c.held = true;
    stored.claims.push_back(c);
  }

  session& at(std::size_t n) { return sessions.at(n); }

  result<takeover_plan> plan(const json& body = json::object()) {
    stored.sessions = sessions;
    rows.load(stored, {}, 0);
    return plan_takeover(rows, all, *rows.find<change>("app#1"), body,
                         request_id{"r1"});
  }

  error refusal(const json& body = json::object()) {
    auto p = plan(body);
    EXPECT_FALSE(p) << body;
    return p ? error{} : p.error();
  }

  row_view rows;
  settings all = default_settings_of_all();
  std::vector<session> sessions;
  store_rows stored;
};

TEST_F(ApiTakeovers, ANewSessionGoesOnOnTheBranchOfTheChange) {
  auto p = plan();
  ASSERT_TRUE(p) << to_string(p.error());
  EXPECT_EQ(p->open.task.text, "T1");
  EXPECT_EQ(p->open.change.text, "app#1");
  EXPECT_EQ(p->open.branch_template, "ao/app-1");
  EXPECT_EQ(p->open.took_over.text, "app-1");
  EXPECT_TRUE(p->open.gives_up.empty());
  EXPECT_EQ(p->open.agent, "scripted");
  EXPECT_EQ(p->holder->id.text, "app-1");
  EXPECT_FALSE(p->own);
}

TEST_F(ApiTakeovers, TheAgentOfASessionGoesOn) {
  auto p = plan({{"session", "app-2"}});
  ASSERT_TRUE(p) << to_string(p.error());
  EXPECT_EQ(p->open.gives_up.text, "app-2");
  EXPECT_EQ(p->mover->id.text, "app-2");
}

TEST_F(ApiTakeovers, WhoeverWorksOnItHasIt) {
  auto p = plan({{"session", "app-1"}});
  ASSERT_TRUE(p) << to_string(p.error());
  EXPECT_EQ(p->own->id.text, "app-1");
}

TEST_F(ApiTakeovers, ComesFromWhoeverHadTheBranchLast) {
  add_session("app-3", "T1");
  at(2).branch = "ao/app-1";
  at(2).epoch = 2;
  auto p = plan();
  ASSERT_TRUE(p) << to_string(p.error());
  EXPECT_EQ(p->open.took_over.text, "app-3");
}

TEST_F(ApiTakeovers, AChangeThatIsOverIsRefused) {
  for (auto state : {change_state::merged, change_state::closed}) {
    stored.changes.back().state = state;
    for (const auto* session : {"", "app-1", "app-2"})
      EXPECT_EQ(refusal({{"session", session}}).code, ec::change_closed);
  }
}

TEST_F(ApiTakeovers, WhoeverCannotGoOnIsRefused) {
  EXPECT_EQ(refusal({{"session", "app-9"}}).code, ec::no_such_session);
  for (auto role : {session_role::reviewer, session_role::mediator,
                    session_role::orchestrator, session_role::manual}) {
    at(1).role = role;
    auto why = refusal({{"session", "app-2"}});
    EXPECT_EQ(why.code, ec::wrong_state);
    EXPECT_THAT(why.context, HasSubstr("only a worker"));
  }
  at(1).role = session_role::worker;
  at(1).project = project_id{"web"};
  EXPECT_EQ(refusal({{"session", "app-2"}}).code, ec::bad_input);
  at(1).project = project_id{"app"};
  at(1).end = session_end::killed;
  EXPECT_EQ(refusal({{"session", "app-2"}}).code, ec::session_closed);
  at(1).end = session_end::open;
  stored.claims.back().held = false;
  auto why = refusal({{"session", "app-2"}});
  EXPECT_EQ(why.code, ec::wrong_state);
  EXPECT_THAT(why.context, HasSubstr("ao spawn --claim-pr app#1"));
  stored.claims.back().held = true;
  stored.changes.push_back(change_of("app#2", "app-2", "T2"));
  why = refusal({{"session", "app-2"}});
  EXPECT_EQ(why.code, ec::wrong_state);
  EXPECT_THAT(why.context, HasSubstr("app#2"));
}

TEST_F(ApiTakeovers, ATaskWithTwoOpenChangesIsRefused) {
  stored.changes.push_back(change_of("app#2", "app-3", "T1"));
  auto why = refusal();
  EXPECT_EQ(why.code, ec::wrong_state);
  EXPECT_THAT(why.context, HasSubstr("app#2"));
  stored.changes.back().state = change_state::closed;
  EXPECT_TRUE(plan());
}

TEST_F(ApiTakeovers, NobodyIsAssignedAtALocalForge) {
  auto why = refusal({{"assign", true}});
  EXPECT_EQ(why.code, ec::bad_input);
  EXPECT_THAT(why.context, HasSubstr("forge of app is local"));
  EXPECT_TRUE(plan({{"assign", false}}));
}

TEST_F(ApiTakeovers, WhatIsNoSuchThingIsBadInput) {
  for (const json& body :
       {json::object({{"session", 7}}), json::object({{"agent", "nobody"}}),
        json::object({{"node", "n9"}}), json::object({{"assign", "yes"}})})
    EXPECT_EQ(refusal(body).code, ec::bad_input) << body;
}

TEST_F(ApiTakeovers, AnUncleanWorktreeIsNamedWithItsFiles) {
  worktree_facts seen;
  EXPECT_TRUE(check_clean(at(1), seen));
  seen.dirty = true;
  seen.changed = 2;
  seen.status_lines = {" M a.txt", "?? b.txt"};
  auto refused = check_clean(at(1), seen);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::unclean_worktree);
  EXPECT_THAT(refused.error().context,
              HasSubstr("app-2 has 2 files that are in no commit ( M a.txt, ?? "
                        "b.txt); have it committed, or end it by `ao session "
                        "kill app-2`"));
  EXPECT_EQ(detail_of(refused.error(), "files"), "2");
  seen.changed = 0;
  EXPECT_THAT(check_clean(at(1), seen).error().context,
              HasSubstr("an unfinished merge or rebase"));
}

} // namespace
} // namespace ao::api
