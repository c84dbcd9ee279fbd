#include "runtime/api/objects.hpp"

#include <gtest/gtest.h>

namespace ao::api {
namespace {

wall_time at(int seconds) {
  return wall_time{std::chrono::seconds{1'763'928'000 + seconds}};
}

template <class T>
row_ptr<T> row(T x) {
  return std::make_shared<const T>(std::move(x));
}

session bare_session() {
  session s;
  s.id = session_id{"app-1"};
  s.project = project_id{"app"};
  s.epoch = 1;
  s.created_at = s.updated_at = s.since = at(0);
  return s;
}

session_view full_view() {
  auto s = bare_session();
  s.task = task_id{"T1"};
  s.subject = "T1";
  s.run = 2;
  s.node = node_name{"local"};
  s.agent = "scripted";
  s.branch = "ao/app-1";
  s.runtime = runtime_state::alive;
  s.activity = activity_state::active;
  s.agent_pid = 41;
  s.shim_pid = 40;
  s.workspace_path = "/h/worktrees/app-1";
  s.tmux_socket = "/h/run/tmux-0.sock";
  s.tmux_pane = "%1";
  s.change = change_id{"app#3"};
  s.restarts = 1;
  s.started_at = at(1);
  exit_info e;
  e.run = 1;
  e.signal = 9;
  e.failure = "crash";
  e.at = at(2);
  s.exit = e;
  session_view out;
  out.row = row(s);
  task t;
  t.id = task_id{"T1"};
  t.ref = "AUTH-1";
  out.of = row(t);
  change c;
  c.id = change_id{"app#3"};
  c.number = 3;
  c.ci = ci_state::failed;
  c.head_sha = "abc";
  out.opened = row(c);
  claim held;
  held.epoch = 1;
  held.node = node_name{"local"};
  out.held = row(held);
  out.project_name = "App";
  return out;
}

TEST(ApiObjects, WhatABareSessionHasNotIsNull) {
  session_view bare;
  bare.row = row(bare_session());
  bare.project_name = "app";
  auto shown = status_row(bare);
  auto expected = parse_json(R"({
    "name": "app-1", "role": "worker", "branch": null, "pr": null,
    "prNumber": null, "issue": null,
    "lastActivity": "2025-11-23T20:00:00.000Z", "project": "app",
    "ciStatus": null, "reviewDecision": null, "pendingThreads": null,
    "activity": null, "task": null, "epoch": 1, "run": 0, "node": null,
    "agent": null, "restarts": 0, "since": "2025-11-23T20:00:00.000Z",
    "workspacePath": null, "status": "queued",
    "runtime": {"state": "queued", "reason": null, "pid": null},
    "change": null, "suspectedDuplicateOf": []})",
                             "golden");
  ASSERT_TRUE(expected);
  shown.erase("summary");
  EXPECT_EQ(shown, *expected);
}

TEST(ApiObjects, ASessionShowsBothRowsAndAllElse) {
  saved_work saved{"refs/ao/rescue/app-1/20251123T200000000Z", "", at(3)};
  auto shown = session_object(full_view(), {saved}, "/h/repos/app.git");
  for (const auto* name :
       {"name", "id", "projectId", "projectName", "issueId", "issue",
        "lastActivityAt", "summary", "restarts", "since"})
    EXPECT_TRUE(shown.contains(name)) << name;
  EXPECT_EQ(shown["issueId"], "AUTH-1");
  EXPECT_EQ(shown["ciStatus"], "failing");
  EXPECT_EQ(shown["change"],
            json({{"state", "open"},
                  {"ci", "failed"},
                  {"review", "none"},
                  {"mergeable", false},
                  {"sha", "abc"}}));
  EXPECT_EQ(shown["runtime"],
            json({{"state", "alive"},
                  {"reason", nullptr},
                  {"pid", 41},
                  {"shimPid", 40},
                  {"startedAt", "2025-11-23T20:00:01.000Z"},
                  {"exit",
                   {{"code", nullptr},
                    {"signal", 9},
                    {"at", "2025-11-23T20:00:02.000Z"},
                    {"class", "crash"}}}}));
  EXPECT_EQ(shown["tmux"],
            json({{"socket", "/h/run/tmux-0.sock"},
                  {"session", "app-1"},
                  {"pane", "%1"}}));
  EXPECT_EQ(shown["claim"], json({{"epoch", 1}, {"node", "local"}}));
  EXPECT_EQ(shown["rescue"],
            json::array({{{"ref", saved.ref},
                          {"sha", nullptr},
                          {"at", "2025-11-23T20:00:03.000Z"},
                          {"repo", "/h/repos/app.git"}}}));
}

TEST(ApiObjects, ATaskHasExactlyTheMembersOfTheContract) {
  task t;
  t.id = task_id{"T1"};
  t.key = "app/task:1";
  t.project = project_id{"app"};
  t.title = "Say hello";
  t.needs = {task_id{"T2"}};
  t.created_at = t.updated_at = at(0);
  auto expected = parse_json(R"({
    "id": "T1", "key": "app/task:1", "project": "app", "ref": null,
    "title": "Say hello", "body": "", "labels": [], "priority": 5,
    "needs": ["T2"], "state": "ready", "session": null, "epoch": null,
    "change": null, "createdAt": "2025-11-23T20:00:00.000Z",
    "updatedAt": "2025-11-23T20:00:00.000Z", "closedAt": null,
    "why": null, "suspectedDuplicateOf": []})",
                             "golden");
  EXPECT_EQ(task_object(row_view{}, t), *expected);
}

TEST(ApiObjects, AMergedChangeIsNotAskedWhetherItCouldBe) {
  change c;
  c.id = change_id{"app#3"};
  c.number = 3;
  c.state = change_state::merged;
  c.merged_sha = "def";
  auto shown = change_object(c);
  EXPECT_EQ(shown["mergeable"], json());
  EXPECT_EQ(shown["mergedSha"], "def");
  EXPECT_EQ(shown.size(), 15u);
}

TEST(ApiObjects, EndedSessionsAreCountedAndHiddenUnlessAskedFor) {
  session_view ended;
  auto s = bare_session();
  s.end = session_end::killed;
  ended.row = row(s);
  auto hidden = status_document({ended, full_view()}, false, {});
  EXPECT_EQ(hidden["data"].size(), 1u);
  EXPECT_EQ(hidden["meta"]["hiddenTerminatedCount"], 1);
  EXPECT_EQ(hidden["meta"]["counts"]["killed"], 1);
  auto all = sessions_document({ended, full_view()}, true);
  EXPECT_EQ(all["data"].size(), 2u);
  EXPECT_EQ(all["meta"]["hiddenTerminatedCount"], 0);
}

TEST(ApiObjects, SavedWorkIsReadFromEvents) {
  event e;
  e.kind = event_kind::rescue_saved;
  e.at = at(1);
  e.data = R"({"ref": "refs/ao/rescue/app-1/x"})";
  event damaged = e;
  damaged.data = "not json";
  event other = e;
  other.kind = event_kind::agent_started;
  auto saved = saved_work_of({e, damaged, other});
  ASSERT_EQ(saved.size(), 1u);
  EXPECT_EQ(saved[0].ref, "refs/ao/rescue/app-1/x");
}

} // namespace
} // namespace ao::api
