#include "tests/support/notification_storm.hpp"

#include <gmock/gmock.h>

using namespace ao;
using testing::IsEmpty;

TEST(NotificationStorm, LosesNothingAndIsReadOnce) {
  notification_storm what;
  what.mishaps = 20;
  auto end = weather(what);
  EXPECT_THAT(end.objections, IsEmpty());
  // A gateway may have passed on what it refuses when it is asked again.
  EXPECT_GE(end.read + end.dead, what.notifications);
  EXPECT_GT(end.requests, what.notifications);
}
