#include "messages/change.hpp"
#include "messages/event.hpp"
#include "messages/incident.hpp"
#include "messages/message.hpp"
#include "messages/session.hpp"
#include "messages/task.hpp"

#include <gtest/gtest.h>

#include <set>

using namespace ao;

namespace {

/// Walks the numbers of an enumeration until one has no word.
template <class Enum, class From>
std::size_t check_words(From from) {
  std::set<std::string_view> seen;
  for (int i = 0; i < 256; ++i) {
    auto value = static_cast<Enum>(i);
    auto text = to_string(value);
    if (text == "invalid") {
      EXPECT_FALSE(from(text));
      return seen.size();
    }
    EXPECT_TRUE(seen.insert(text).second) << text;
    EXPECT_EQ(from(text), value) << text;
  }
  return seen.size();
}

} // namespace

TEST(Words, AreUniqueAndReadBack) {
  EXPECT_EQ(check_words<task_state>(task_state_from), 9u);
  EXPECT_EQ(check_words<session_role>(session_role_from), 5u);
  EXPECT_EQ(check_words<runtime_state>(runtime_state_from), 7u);
  EXPECT_EQ(check_words<activity_state>(activity_state_from), 6u);
  EXPECT_EQ(check_words<session_end>(session_end_from), 5u);
  EXPECT_EQ(check_words<resume_reason>(resume_reason_from), 7u);
  EXPECT_EQ(check_words<change_state>(change_state_from), 3u);
  EXPECT_EQ(check_words<ci_state>(ci_state_from), 5u);
  EXPECT_EQ(check_words<review_state>(review_state_from), 4u);
  EXPECT_EQ(check_words<merge_state>(merge_state_from), 4u);
  EXPECT_EQ(check_words<message_mode>(message_mode_from), 3u);
  EXPECT_EQ(check_words<message_state>(message_state_from), 9u);
  EXPECT_EQ(check_words<send_failure>(send_failure_from), 5u);
  EXPECT_EQ(check_words<event_kind>(event_kind_from), all_event_kinds().size());
}

TEST(Words, RefuseWhatTheyDoNotKnow) {
  for (auto text : {"", "Ready", "ready ", "nonsense"}) {
    EXPECT_FALSE(task_state_from(text)) << text;
    EXPECT_FALSE(event_kind_from(text)) << text;
  }
}

TEST(TaskState, ParkedWaitsAndOnlySuccessFreesDependents) {
  EXPECT_FALSE(is_closed(task_state::parked));
  EXPECT_FALSE(is_closed(task_state::in_review));
  EXPECT_TRUE(is_closed(task_state::cancelled));
  EXPECT_TRUE(is_closed(task_state::failed));
  EXPECT_FALSE(frees_dependents(task_state::failed));
  EXPECT_FALSE(frees_dependents(task_state::cancelled));
  EXPECT_TRUE(frees_dependents(task_state::merged));
  EXPECT_TRUE(frees_dependents(task_state::done));
}

TEST(Subject, NamesItsKind) {
  EXPECT_EQ(subject_of(task_id{"T42"}), "task:T42");
  EXPECT_EQ(subject_of(session_id{"app-7"}), "session:app-7");
  EXPECT_EQ(subject_of(change_id{"app#3"}), "change:app#3");
}
