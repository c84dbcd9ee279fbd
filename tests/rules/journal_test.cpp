#include "runtime/rules/journal.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

using namespace ao;
using nlohmann::json;

namespace {

supervisor_note note_of(const std::string& child,
                        supervisor_note::verdict what
                        = supervisor_note::verdict::restarted) {
  supervisor_note note;
  note.what = what;
  note.supervisor = "sessions";
  note.child = child;
  note.reason = {ec::internal, "it threw"};
  note.restarts = 2;
  note.delay = std::chrono::seconds{3};
  note.at = wall_time{} + std::chrono::seconds{9};
  return note;
}

session alive_session() {
  session row;
  row.id = session_id{"app-7"};
  row.version = 4;
  row.runtime = runtime_state::alive;
  return row;
}

TEST(Journal, AChildsWorkIsTheSubjectOfItsEvents) {
  const std::pair<const char*, const char*> table[]
    = {{"session/app-7", "session:app-7"},
       {"runner/app-7", "session:app-7"},
       {"mailbox/app-7", "session:app-7"},
       {"task/T4", "task:T4"},
       {"ci-watcher/app#3", "change:app#3"},
       {"forge/app", "hub"},
       {"store", "hub"}};
  for (const auto& [child, subject] : table)
    EXPECT_EQ(event_of(note_of(child)).subject, subject) << child;
}

TEST(Journal, AnEventSaysWhoDecidedWhatAndWhy) {
  auto e = event_of(note_of("session/app-7"));
  EXPECT_EQ(e.kind, event_kind::child_restarted);
  EXPECT_EQ(e.actor, "supervisor/sessions");
  EXPECT_EQ(e.at, wall_time{} + std::chrono::seconds{9});
  auto data = json::parse(e.data);
  EXPECT_EQ(data["child"], "session/app-7");
  EXPECT_EQ(data["session"], "app-7");
  EXPECT_EQ(data["reason"], "internal: it threw");
  EXPECT_EQ(data["restarts"], 2);
  EXPECT_EQ(data["delayMs"], 3000);
}

TEST(Journal, EachVerdictHasItsKind) {
  using verdict = supervisor_note::verdict;
  EXPECT_EQ(event_of(note_of("store", verdict::given_up)).kind,
            event_kind::child_given_up);
  EXPECT_EQ(event_of(note_of("store", verdict::abandoned)).kind,
            event_kind::child_abandoned);
}

TEST(Journal, ASessionWithoutItsActorIsParkedWithTheReason) {
  auto parked = parked_by_supervisor(
    alive_session(),
    note_of("session/app-7", supervisor_note::verdict::given_up));
  ASSERT_TRUE(parked);
  EXPECT_EQ(parked->runtime, runtime_state::parked);
  EXPECT_EQ(parked->version, 5u);
  EXPECT_EQ(parked->reason, "session/app-7 was given up: internal: it threw");
}

TEST(Journal, WhatHasEndedOrIsParkedStaysAsItIs) {
  auto note = note_of("session/app-7", supervisor_note::verdict::given_up);
  auto row = alive_session();
  row.runtime = runtime_state::parked;
  EXPECT_FALSE(parked_by_supervisor(row, note));
  row = alive_session();
  row.end = session_end::merged;
  EXPECT_FALSE(parked_by_supervisor(row, note));
}

} // namespace
