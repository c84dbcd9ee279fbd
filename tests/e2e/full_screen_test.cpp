// Messages to full-screen programs: each arrives once and byte for byte, or
// says that it did not, also over a death of the hub. The large number is in
// `./dev soak messages`.

#include "tests/support/full_screen.hpp"

#include <gmock/gmock.h>

using namespace ao;

TEST(FullScreen, ReadsMessagesOnceAndWhole) {
  world w{full_screen_options()};
  full_screen_talk what;
  what.sessions = 10;
  what.texts = 44;
  what.deaths = 1;
  auto found = talk_full_screen(w, what);
  EXPECT_THAT(found.objections, testing::IsEmpty());
  EXPECT_EQ(found.sent, what.sessions * (what.texts + 6));
  // Of the six with keys in them and of what the hub was typing when it died
  // somebody is told.
  EXPECT_GE(found.arrived + found.told, found.sent);
  EXPECT_GE(found.arrived, what.sessions * (what.texts - 2));
}
