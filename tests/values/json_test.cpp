#include "messages/json.hpp"
#include "messages/row_text.hpp"
#include "tests/support/random_rows.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace ao;
using namespace ao::test;

namespace {

/// Rows have no `==`: two of them are equal when they are written alike. That
/// nothing is left out of the writing is `WritesEveryMember`.
template <class T>
void survives(const T& x) {
  auto text = dump(json(x));
  auto again = json::parse(text).get<T>();
  RC_ASSERT(dump(json(again)) == text);
}

/// The fast way to text says the same as the tree.
template <class T>
void is_written_alike(const T& x) {
  RC_ASSERT(json::parse(dump(x)) == json::parse(dump(json(x))));
}

/// What the fast way back reads is the row that was written.
template <class T>
void is_read_alike(const T& x) {
  T again;
  RC_ASSERT(read_text(dump(x), again));
  RC_ASSERT(dump(again) == dump(x));
}

/// How many members `x` has on disk.
template <class T>
std::size_t member_count(const T& x) {
  return json(x).size();
}

} // namespace

RC_GTEST_PROP(Json, TaskSurvivesARoundTrip, ()) {
  survives(any_task());
}
RC_GTEST_PROP(Json, ClaimSurvivesARoundTrip, ()) {
  survives(any_claim());
}
RC_GTEST_PROP(Json, CounterSurvivesARoundTrip, ()) {
  survives(any_counter());
}
RC_GTEST_PROP(Json, ExitSurvivesARoundTrip, ()) {
  survives(any_exit());
}
RC_GTEST_PROP(Json, SessionSurvivesARoundTrip, ()) {
  survives(any_session());
}
RC_GTEST_PROP(Json, ChangeSurvivesARoundTrip, ()) {
  survives(any_change());
}
RC_GTEST_PROP(Json, CiRunSurvivesARoundTrip, ()) {
  survives(any_ci_run());
}
RC_GTEST_PROP(Json, ReviewSurvivesARoundTrip, ()) {
  survives(any_review());
}
RC_GTEST_PROP(Json, IncidentSurvivesARoundTrip, ()) {
  survives(any_incident());
}
RC_GTEST_PROP(Json, NotificationSurvivesARoundTrip, ()) {
  survives(any_notification());
  survives(any_node());
  survives(any_join_token());
}
RC_GTEST_PROP(Json, BreakerSurvivesARoundTrip, ()) {
  survives(any_breaker());
}
RC_GTEST_PROP(Json, MessageSurvivesARoundTrip, ()) {
  survives(any_message());
}
RC_GTEST_PROP(Json, WorktreeSurvivesARoundTrip, ()) {
  survives(any_worktree());
}

RC_GTEST_PROP(Json, TextAndTreeSayTheSame, ()) {
  is_written_alike(any_task());
  is_written_alike(any_claim());
  is_written_alike(any_counter());
  is_written_alike(any_session());
  is_written_alike(any_change());
  is_written_alike(any_ci_run());
  is_written_alike(any_review());
  is_written_alike(any_message());
  is_written_alike(any_incident());
  is_written_alike(any_notification());
  is_written_alike(any_breaker());
  is_written_alike(any_node());
  is_written_alike(any_join_token());
}

RC_GTEST_PROP(RowText, IsReadBackAsItWasWritten, ()) {
  is_read_alike(any_task());
  is_read_alike(any_claim());
  is_read_alike(any_counter());
  is_read_alike(any_session());
  is_read_alike(any_change());
  is_read_alike(any_ci_run());
  is_read_alike(any_review());
  is_read_alike(any_message());
  is_read_alike(any_incident());
  is_read_alike(any_notification());
  is_read_alike(any_breaker());
  is_read_alike(any_node());
  is_read_alike(any_join_token());
}

TEST(RowText, ReadsForeignLetters) {
  task t;
  t.title = "caf\u00e9 \"\\\x01";
  task again;
  EXPECT_TRUE(read_text(dump(t), again));
  EXPECT_EQ(again.title, t.title);
}

TEST(RowText, SaysNoToEverythingElse) {
  auto text = dump(counter{"task", 1, 7});
  counter x;
  for (std::size_t n = 0; n < text.size(); ++n)
    EXPECT_FALSE(read_text(text.substr(0, n), x)) << n;
  EXPECT_FALSE(read_text(text + " ", x));
  for (auto other :
       {R"({"version":1,"name":"task","last":7})",
        R"({"name":"task","version":1})",
        R"({"name":"task","version":1,"last":7,"more":1})",
        R"({"name":"task","version":01,"last":7})",
        R"({"name":"task","version":1.5,"last":7})",
        R"({"name":"task","version":-1,"last":7})",
        R"({"name":"task","version":99999999999999999999,"last":7})",
        R"({"name":"task","version":true,"last":7})",
        R"({"name":null,"version":1,"last":7})",
        "{\"name\":\"caf\xe9\",\"version\":1,\"last\":7}", "[]", "null"})
    EXPECT_FALSE(read_text(other, x)) << other;
  task t;
  auto wrong = dump(t);
  wrong.replace(wrong.find("\"ready\""), 7, "\"sleepy\"");
  EXPECT_FALSE(read_text(wrong, t));
}

TEST(Json, WritesEveryMember) {
  EXPECT_EQ(member_count(task{}), 20u);
  EXPECT_EQ(member_count(suspicion{}), 8u);
  EXPECT_EQ(member_count(claim{}), 7u);
  EXPECT_EQ(member_count(counter{}), 3u);
  EXPECT_EQ(member_count(exit_info{}), 9u);
  EXPECT_EQ(member_count(worktree_facts{}), 5u);
  EXPECT_EQ(member_count(session{}), 47u);
  EXPECT_EQ(member_count(left_work{}), 6u);
  EXPECT_EQ(member_count(change{}), 23u);
  EXPECT_EQ(member_count(ci_run{}), 13u);
  EXPECT_EQ(member_count(change_review{}), 15u);
  EXPECT_EQ(member_count(message{}), 17u);
  EXPECT_EQ(member_count(incident_attempt{}), 9u);
  EXPECT_EQ(member_count(incident{}), 39u);
  EXPECT_EQ(member_count(notification{}), 22u);
  EXPECT_EQ(member_count(breaker{}), 16u);
}

TEST(Json, WritesTimesForPeopleAndStatesAsWords) {
  task t;
  t.state = task_state::in_review;
  t.created_at = wall_time{milliseconds{1'795'464'000'123}};
  json out = t;
  EXPECT_EQ(out["createdAt"], "2026-11-23T20:00:00.123Z");
  EXPECT_EQ(out["state"], "in_review");
  EXPECT_TRUE(out["closedAt"].is_null());
}

TEST(Json, IgnoresUnknownMembersAndDefaultsMissingOnes) {
  auto t = json::parse(R"({"id":"T1","colour":"red"})").get<task>();
  EXPECT_EQ(t.id, task_id{"T1"});
  EXPECT_EQ(t.priority, 5);
  EXPECT_EQ(t.state, task_state::ready);
  EXPECT_FALSE(t.closed_at);
  // Rows from before tasks had them.
  EXPECT_TRUE(t.suspects.empty());
}

TEST(Json, ThrowsAtWrongTypes) {
  for (auto text :
       {R"([])", R"({"id":7})", R"({"priority":"5"})", R"({"priority":1.5})",
        R"({"priority":true})", R"({"priority":4294967296})",
        R"({"version":-1})", R"({"labels":"a"})", R"({"labels":[1]})",
        R"({"state":"sleepy"})", R"({"state":1})",
        R"({"createdAt":"yesterday"})", R"({"title":null})"})
    EXPECT_THROW(json::parse(text).get<task>(), json::exception) << text;
  EXPECT_THROW(json::parse(R"({"held":1})").get<claim>(), json::exception);
  EXPECT_THROW(json::parse(R"({"exit":{"code":"x"}})").get<session>(),
               json::exception);
}

TEST(Json, KeepsTheLimitsOfItsNumbers) {
  auto x = json::parse(R"({"last":18446744073709551615})").get<counter>();
  EXPECT_EQ(x.last, std::numeric_limits<std::uint64_t>::max());
  auto s = json::parse(R"({"agentPid":-2147483648})").get<session>();
  EXPECT_EQ(s.agent_pid, std::numeric_limits<int>::min());
}

TEST(Json, ReplacesInvalidUtf8) {
  task t;
  t.title = "caf\xe9";
  EXPECT_EQ(json::parse(dump(t))["title"], "caf\xef\xbf\xbd");
}

TEST(Json, ShowsAnEventWithItsDataAsAnObject) {
  event e;
  e.seq = 7;
  e.at = wall_time{milliseconds{1'795'464'000'123}};
  e.subject = "task:T1";
  e.kind = event_kind::task_claimed;
  e.actor = "registry";
  e.cause = 3;
  e.epoch = 2;
  e.data = R"({"task":"T1"})";
  EXPECT_EQ(json(e), json::parse(R"({"seq":7,"at":"2026-11-23T20:00:00.123Z",
    "subject":"task:T1","kind":"task_claimed","actor":"registry","cause":3,
    "epoch":2,"data":{"task":"T1"}})"));
  e.data = "torn{";
  EXPECT_EQ(json(e)["data"], json::object());
}

TEST(ParseJson, NamesThePosition) {
  auto x = parse_json("{\n  \"a\": tru }", "verdict.json");
  ASSERT_FALSE(x);
  EXPECT_EQ(x.error().code, ec::bad_input);
  EXPECT_EQ(x.error().context.find("verdict.json:2:11: not JSON: "), 0u)
    << x.error().context;
}

TEST(ParseJson, NeverRepeatsWhatItRead) {
  auto x = parse_json("sk-secret-token", "body");
  ASSERT_FALSE(x);
  EXPECT_EQ(x.error().context.find("sk"), std::string::npos)
    << x.error().context;
  EXPECT_EQ(parse_json("", "body").error().context.find("body:1:1: "), 0u);
}

TEST(ParseJson, StopsAt64Levels) {
  auto nest
    = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  EXPECT_TRUE(parse_json(nest(64), "body"));
  auto x = parse_json(nest(65), "body");
  ASSERT_FALSE(x);
  EXPECT_EQ(x.error().context,
            "body:1:65: nested too deeply, expected at most 64 levels");
  EXPECT_TRUE(parse_json("\"" + std::string(100, '[') + "\\\"[\"", "body"));
  EXPECT_FALSE(parse_json(std::string(2'000'000, '['), "body"));
}

TEST(ParseJson, RefusesNumbersThatDoNotFit) {
  EXPECT_FALSE(parse_json("1e999", "body"));
}
