#include "runtime/rules/retention.hpp"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>

using namespace ao;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

constexpr wall_time start{std::chrono::hours{480'000}};
constexpr milliseconds day = std::chrono::hours{24};

session ended(session_end how, bool cleaned) {
  session s;
  s.end = how;
  s.cleaned = cleaned;
  s.ended_at = start;
  return s;
}

TEST(Retention, KeepsWhatHasNotEndedForEver) {
  session s;
  s.updated_at = start;
  EXPECT_EQ(fate_of(s, start + 1000 * day, day), session_fate::keep);
}

TEST(Retention, CleansUpFirstAndRemovesFilesThen) {
  auto dirty = ended(session_end::killed, false);
  auto clean = ended(session_end::merged, true);
  EXPECT_EQ(fate_of(dirty, start + day - milliseconds{1}, day),
            session_fate::keep);
  EXPECT_EQ(fate_of(dirty, start + day, day), session_fate::clean_up);
  EXPECT_EQ(fate_of(clean, start + day, day), session_fate::remove_files);
  // The clock was set back.
  EXPECT_EQ(fate_of(clean, start - day, day), session_fate::keep);
}

kept_log log_of(const std::string& path, std::uint64_t bytes, int at,
                bool in_use = false) {
  return {path, bytes, start + milliseconds{at}, in_use};
}

TEST(Retention, RemovesTheOldestLogsUntilTheRestFits) {
  std::vector<kept_log> all
    = {log_of("new", 10, 3), log_of("old", 10, 1), log_of("mid", 10, 2)};
  EXPECT_THAT(logs_to_remove(all, 30), IsEmpty());
  EXPECT_THAT(logs_to_remove(all, 29), ElementsAre("old"));
  EXPECT_THAT(logs_to_remove(all, 10), ElementsAre("old", "mid"));
}

TEST(Retention, NeverRemovesWhatIsWritten) {
  std::vector<kept_log> all
    = {log_of("hub.log", 100, 1, true), log_of("ci", 1, 2)};
  EXPECT_THAT(logs_to_remove(all, 50), ElementsAre("ci"));
}

RC_GTEST_PROP(Retention, WhatStaysFitsOrIsInUse, ()) {
  auto sizes = *rc::gen::container<std::vector<std::uint64_t>>(
    rc::gen::inRange<std::uint64_t>(0, 1000));
  auto most = *rc::gen::inRange<std::uint64_t>(0, 5000);
  std::vector<kept_log> all;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    all.push_back(log_of(std::to_string(i), sizes[i], *rc::gen::inRange(0, 100),
                         *rc::gen::arbitrary<bool>()));
  auto gone = logs_to_remove(all, most);
  std::uint64_t rest = 0;
  std::uint64_t free = 0;
  for (const auto& log : all) {
    auto removed = std::count(gone.begin(), gone.end(), log.path);
    RC_ASSERT(removed <= (log.in_use ? 0 : 1));
    if (removed == 0) {
      rest += log.bytes;
      free += log.in_use ? 0 : log.bytes;
    }
  }
  RC_ASSERT(rest <= most || free == 0);
}

} // namespace
