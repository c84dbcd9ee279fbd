#include "messages/time.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace ao;

TEST(Time, IsWrittenAsRfc3339WithMilliseconds) {
  EXPECT_EQ(format_time(wall_time{milliseconds{1'795'464'000'123}}),
            "2026-11-23T20:00:00.123Z");
  EXPECT_EQ(format_ref_time(wall_time{milliseconds{1'795'464'000'123}}),
            "20261123T200000123Z");
}

TEST(Time, RefusesWhatIsNoMoment) {
  for (auto text :
       {"", "yesterday", "2026-02-30T00:00:00Z", "2026-11-23T20:00:00",
        "2026-11-23T20:00:00.Z", "2026-11-23T20:00:00+01:00",
        "2025-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-1-01T00:00:00Z",
        " 026-01-01T00:00:00Z", "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00.1234567890Z"})
    EXPECT_FALSE(parse_time(text)) << text;
}

TEST(Time, KnowsTheCalendar) {
  auto ms = [](const char* text) {
    return parse_time(text)->time_since_epoch().count();
  };
  EXPECT_EQ(ms("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ms("1969-12-31T23:59:59.999Z"), -1);
  EXPECT_EQ(ms("2024-02-29T23:59:59.5Z"), 1'709'251'199'500);
  EXPECT_EQ(ms("2000-03-01T00:00:00.000000001Z"), 951'868'800'000);
  EXPECT_EQ(ms("0001-01-01T00:00:00Z"), -62'135'596'800'000);
}

RC_GTEST_PROP(Time, SurvivesARoundTrip, ()) {
  auto ms = *rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000);
  wall_time t{milliseconds{ms}};
  RC_ASSERT(*parse_time(format_time(t)) == t);
}

RC_GTEST_PROP(Calendar, SurvivesARoundTrip, ()) {
  auto minutes = *rc::gen::inRange<std::int64_t>(-40'000'000, 4'000'000'000);
  wall_time t{std::chrono::minutes{minutes}};
  RC_ASSERT(moment_of(calendar_of(t)) == t);
}

TEST(Calendar, GoesOnPastTheEndOfAMonth) {
  EXPECT_EQ(moment_of({2026, 2, 30, 8, 5}),
            *parse_time("2026-03-02T08:05:00Z"));
}

RC_GTEST_PROP(Duration, SurvivesARoundTrip, ()) {
  auto ms = *rc::gen::inRange<std::int64_t>(0, 4'000'000'000);
  RC_ASSERT(parse_duration(format_duration(milliseconds{ms}))->count() == ms);
}

TEST(Duration, KnowsItsUnitsAndNothingElse) {
  EXPECT_EQ(parse_duration("500ms")->count(), 500);
  EXPECT_EQ(parse_duration("14d")->count(), 14 * 86'400'000);
  for (auto text :
       {"", "10", "s", "-1s", "1.5h", "10 m", "1w", "99999999999999999999s"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Size, KnowsItsUnitsAndNothingElse) {
  EXPECT_EQ(*parse_size("1GiB"), 1ull << 30);
  EXPECT_EQ(format_size(64ull << 20), "64MiB");
  for (auto text : {"1GB", "1g", "KiB", "9007199254740993GiB"})
    EXPECT_FALSE(parse_size(text)) << text;
}

TEST(Ulid, IsUniqueAndSortsByTime) {
  auto a = make_ulid();
  EXPECT_EQ(a.size(), 26u);
  EXPECT_NE(a, make_ulid());
}
