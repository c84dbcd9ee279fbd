#include "runtime/notify/outcome.hpp"
#include "tests/support/notifications.hpp"

#include <gmock/gmock.h>

#include <map>

using namespace ao;
using namespace ao::notify;
using kind = send_outcome::kind;

namespace {

std::optional<milliseconds> wait_of(const std::string& text,
                                    wall_time now = {}) {
  auto reply = reply_of(429);
  reply.headers["retry-after"] = text;
  return retry_after_of(reply, now);
}

TEST(Outcome, OfEachStatus) {
  const std::map<int, kind> table
    = {{0, kind::passing},    {300, kind::unusable},  {301, kind::unusable},
       {302, kind::unusable}, {308, kind::unusable},  {400, kind::refused},
       {401, kind::unusable}, {402, kind::refused},   {403, kind::unusable},
       {404, kind::unusable}, {405, kind::unusable},  {406, kind::refused},
       {407, kind::unusable}, {408, kind::passing},   {409, kind::refused},
       {410, kind::unusable}, {413, kind::refused},   {422, kind::refused},
       {425, kind::passing},  {429, kind::throttled}, {500, kind::passing},
       {501, kind::passing},  {502, kind::passing},   {503, kind::passing},
       {504, kind::passing},  {599, kind::passing}};
  for (const auto& [status, expected] : table)
    EXPECT_EQ(read_failure(question_row(), reply_of(status), "", {}).what,
              expected)
      << status;
}

TEST(Outcome, SaysWhatWasSaid) {
  auto read = [](const http_reply& r) {
    return read_failure(question_row(), r, reason_in(r), {}).error;
  };
  EXPECT_EQ(read(reply_of(500)), "HTTP 500");
  EXPECT_EQ(read(reply_of(500, "bad\n day ")), "HTTP 500: bad day");
  EXPECT_EQ(read(reply_of(400, R"({"error":"no","message":"x"})")),
            "HTTP 400: no");
  EXPECT_EQ(read(reply_of(400, R"({"error":{"message":"x"}})")),
            R"(HTTP 400: {"error":{"message":"x"}})");
  http_reply none;
  none.failure = "no answer within 20s";
  EXPECT_EQ(read(none), "no answer within 20s");
}

TEST(Outcome, ObeysRetryAfter) {
  EXPECT_FALSE(retry_after_of(reply_of(429), {}));
  EXPECT_EQ(wait_of("0"), milliseconds{0});
  EXPECT_EQ(wait_of("120"), milliseconds{120'000});
  EXPECT_EQ(wait_of("-5"), milliseconds{0});
  auto now = wall_time{std::chrono::seconds{1'445'412'480}};
  EXPECT_EQ(wait_of("Wed, 21 Oct 2015 07:28:30 GMT", now),
            milliseconds{30'000});
  EXPECT_EQ(wait_of("Wed, 21 Oct 2015 07:27:00 GMT", now), milliseconds{0});
  for (auto junk : {"", "soon", "5 apples", "99999999999999999999999", "1e3"})
    EXPECT_FALSE(wait_of(junk)) << junk;
  // A year is the longest that is believed.
  EXPECT_EQ(wait_of("9999999999"), std::chrono::hours{366 * 24});
}

TEST(Outcome, CutsLinesAtCharacters) {
  EXPECT_EQ(one_line("  a\t\r\nb\x7f"
                     "c "),
            "a b c");
  EXPECT_EQ(one_line("äöü", 3), "ä");
  EXPECT_EQ(one_line("🦊🦊", 7), "🦊");
  EXPECT_EQ(one_line("abc", 3), "abc");
}

} // namespace
