#include "runtime/rules/chat_polls.hpp"

#include <gmock/gmock.h>

using namespace ao;
using namespace std::chrono_literals;

namespace {

notifier_settings bot(const std::string& token, const std::string& to) {
  notifier_settings out;
  out.plugin = "telegram";
  out.token = token;
  out.to = to;
  return out;
}

TEST(ChatBots, ListenOnceForAllTheirChats) {
  std::map<std::string, notifier_settings> all;
  all["a"] = bot("1:x", "42");
  all["b"] = bot("2:y", "43");
  all["c"] = bot("1:x", "-100123:topic:7");
  auto bots = chat_bots(all);
  ASSERT_EQ(bots.size(), 2u);
  EXPECT_EQ(bots[0].id, "a");
  ASSERT_EQ(bots[0].ears.size(), 2u);
  EXPECT_EQ(bots[0].ears[1].notifier, "c");
  EXPECT_EQ(bots[0].ears[1].place.topic, 7);
  EXPECT_EQ(bots[1].id, "b");
}

TEST(ChatBots, AreNotThoseThatMayNotAnswer) {
  std::map<std::string, notifier_settings> all;
  all["name"] = bot("1:x", "@news");
  all["mute"] = bot("1:x", "42");
  all["mute"].answers = false;
  all["bare"] = bot("", "42");
  all["gateway"] = bot("1:x", "42");
  all["gateway"].plugin = "openclaw";
  EXPECT_TRUE(chat_bots(all).empty());
}

TEST(ChatBots, AreKnownByTheirNumber) {
  EXPECT_EQ(bot_number("123456:secret"), "123456");
  EXPECT_EQ(bot_number("secret"), "");
  EXPECT_EQ(bot_number("se:cret"), "");
}

TEST(ChatPoll, RestsAsItsFailureAsksFor) {
  auto rest = [](int status, std::uint32_t attempt = 1,
                 std::optional<milliseconds> asked = {}) {
    return rest_after({status, "why", asked}, attempt, 0);
  };
  for (auto status : {401, 403, 404, 409}) {
    EXPECT_EQ(rest(status).pause, 10min) << status;
    EXPECT_TRUE(rest(status).alert) << status;
  }
  for (auto status : {0, 200, 400, 429, 500, 502}) {
    EXPECT_EQ(rest(status).pause, 1s) << status;
    EXPECT_EQ(rest(status, 4).pause, 8s) << status;
    EXPECT_EQ(rest(status, 40).pause, 5min) << status;
    EXPECT_FALSE(rest(status).alert) << status;
  }
  EXPECT_EQ(rest(429, 1, 33s).pause, 33s);
  EXPECT_EQ(rest(429, 40, 1s).pause, 5min);
  EXPECT_EQ(rest(429, 1, 1000h).pause, 24h);
  // The dice make it shorter.
  EXPECT_LT(rest_after({0, "why", {}}, 1, 1).pause, 1s);
}

TEST(ChatPoll, KnowsWhatItHasHeard) {
  auto heard = [](std::int64_t id, std::uint64_t last) {
    chat_update u;
    u.id = id;
    return was_heard(u, last);
  };
  EXPECT_TRUE(heard(100, 100));
  EXPECT_TRUE(heard(51, 100));
  EXPECT_FALSE(heard(101, 100));
  // A quiet week lets the numbers begin anywhere.
  EXPECT_FALSE(heard(7, 1'000'000));
  EXPECT_FALSE(heard(1, 0));
}

} // namespace
