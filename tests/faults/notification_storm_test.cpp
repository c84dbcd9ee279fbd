#include "tests/support/notification_storm.hpp"

#include <gmock/gmock.h>

using namespace ao;
using testing::IsEmpty;

TEST(NotificationStorm, LosesNothingAndIsReadOnce) {
  notification_storm what;
  what.mishaps = 20;
  auto end = weather(what);
  EXPECT_THAT(end.objections, IsEmpty());
  EXPECT_EQ(end.read + end.dead, what.notifications);
  EXPECT_GT(end.requests, what.notifications);
}
