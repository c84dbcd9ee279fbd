#include "runtime/rules/clock_steps.hpp"

#include <gtest/gtest.h>

namespace ao {
namespace {

using namespace std::chrono_literals;

constexpr wall_time wall{milliseconds{1'000'000'000'000}};
constexpr mono_time mono{5h};
constexpr auto ten_days = 240h;

TEST(ClockSteps, AreNoneWhileBothClocksGoOn) {
  clock_steps clock;
  EXPECT_EQ(clock.since_last(wall, mono), 0ms);
  EXPECT_EQ(clock.since_last(wall + 7h, mono + 7h), 0ms);
  EXPECT_EQ(clock.since_last(wall + 7h + 900ms, mono + 7h), 0ms);
}

TEST(ClockSteps, AreToldOnceInBothDirections) {
  clock_steps clock;
  EXPECT_EQ(clock.since_last(wall, mono), 0ms);
  EXPECT_EQ(clock.since_last(wall + ten_days + 1min, mono + 1min), ten_days);
  EXPECT_EQ(clock.since_last(wall + ten_days + 2min, mono + 2min), 0ms);
  EXPECT_EQ(clock.since_last(wall - ten_days + 3min, mono + 3min),
            -2 * ten_days);
}

} // namespace
} // namespace ao
