#include "messages/json.hpp"
#include "runtime/notify/telegram_updates.hpp"
#include "tests/support/notifications.hpp"

#include <gmock/gmock.h>

using namespace ao;
using namespace ao::notify;
using testing::HasSubstr;
using testing::Not;
using what = chat_update::kind;

namespace {

notifier_settings phone() {
  notifier_settings out;
  out.plugin = "telegram";
  out.token = "123456:" + std::string(35, 's');
  out.to = "42";
  return out;
}

std::vector<chat_update> updates_in(const json& result) {
  auto got = read_updates(
    phone(), reply_of(200, json{{"ok", true}, {"result", result}}.dump()), {});
  EXPECT_EQ(got.index(), 0u);
  return got.index() == 0 ? std::get<0>(got) : std::vector<chat_update>{};
}

poll_failure failure_of(const http_reply& reply) {
  auto got = read_updates(phone(), reply, {});
  EXPECT_EQ(got.index(), 1u);
  return got.index() == 1 ? std::get<1>(got) : poll_failure{};
}

TEST(TelegramUpdates, AreAskedForAfterTheLastOne) {
  auto call = updates_call(phone(), 17, 50);
  auto body = json::parse(call.body);
  EXPECT_EQ(body["offset"], 18);
  EXPECT_EQ(body["timeout"], 50);
  EXPECT_EQ(body["limit"], 50);
  EXPECT_EQ(body["allowed_updates"], json({"message", "callback_query"}));
  EXPECT_GT(call.timeout, longest_poll);
  EXPECT_FALSE(
    json::parse(updates_call(phone(), {}, 1).body).contains("offset"));
}

TEST(TelegramUpdates, AreReadInOrder) {
  auto got = updates_in(json::parse(R"([
    {"update_id": 9, "callback_query": {"id": "q", "data": "inc-7 2 0 C",
      "message": {"message_id": 5, "chat": {"id": 42}}}},
    {"update_id": 8, "message": {"message_id": 4, "text": "hi",
      "chat": {"id": -100123}, "message_thread_id": 7,
      "reply_to_message": {"message_id": 3, "from": {"id": 123456},
        "text": "Case"}}}])"));
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].what, what::message);
  EXPECT_EQ(got[0].where.chat, -100123);
  EXPECT_EQ(got[0].where.topic, 7);
  EXPECT_EQ(got[0].text, "hi");
  EXPECT_EQ(got[0].reply_to, 3);
  EXPECT_TRUE(got[0].reply_to_us);
  EXPECT_EQ(got[0].replied_text, "Case");
  EXPECT_EQ(got[1].what, what::press);
  EXPECT_EQ(got[1].query, "q");
  EXPECT_EQ(got[1].message, 5);
  EXPECT_EQ(got[1].text, "inc-7 2 0 C");
}

TEST(TelegramUpdates, MayBeAnything) {
  auto got = updates_in(json::parse(R"([
    7, null, "x", {}, {"update_id": "9"}, {"update_id": 1.5},
    {"update_id": 18446744073709551615}, {"update_id": -1},
    {"update_id": 1, "message": 7},
    {"update_id": 2, "message": {"chat": [], "text": {}, "from": 1}},
    {"update_id": 3, "callback_query": {"data": 1, "message": null}},
    {"update_id": 4, "message": {"from": {"is_bot": true}, "text": "inc-7 x",
      "chat": {"id": 42}}},
    {"update_id": 9223372036854775807, "message": {"chat":
      {"id": 18446744073709551615}, "text": "x"}}])"));
  ASSERT_EQ(got.size(), 5u);
  EXPECT_EQ(got[0].what, what::other);
  EXPECT_EQ(got[1].what, what::message);
  EXPECT_EQ(got[1].where.chat, 0);
  EXPECT_EQ(got[2].what, what::press);
  EXPECT_EQ(got[2].where.chat, 0);
  EXPECT_EQ(got[3].what, what::other);
  EXPECT_EQ(got[4].where.chat, 0);
}

TEST(TelegramUpdates, NotGotSayWhy) {
  EXPECT_EQ(failure_of(reply_of(200, "<html>")).why,
            "the answer is not Telegram's");
  EXPECT_EQ(failure_of(reply_of(200, std::string(100'000, '['))).status, 200);
  auto busy = failure_of(
    reply_of(429, R"({"ok":false,"parameters":{"retry_after":5}})"));
  EXPECT_EQ(busy.status, 429);
  EXPECT_EQ(busy.retry_after, milliseconds{5'000});
  auto wrong = failure_of(
    reply_of(401, json{{"description", "not " + phone().token}}.dump()));
  EXPECT_EQ(wrong.why, "HTTP 401: not ***");
}

TEST(TelegramUpdates, AreAnsweredWhereTheyWereMade) {
  chat_update u;
  u.what = what::press;
  u.query = "q";
  auto pressed = telling_call(phone(), u, std::string(500, 'x') + "\n", true);
  EXPECT_THAT(pressed.url, testing::EndsWith("/answerCallbackQuery"));
  auto body = json::parse(pressed.body);
  EXPECT_EQ(body["callback_query_id"], "q");
  EXPECT_LE(body["text"].get<std::string>().size(), 200u);
  EXPECT_EQ(body["show_alert"], true);
  u.what = what::message;
  u.where = {-100123, 7};
  u.message = 4;
  body = json::parse(telling_call(phone(), u, "No", true).body);
  EXPECT_EQ(body["chat_id"], -100123);
  EXPECT_EQ(body["message_thread_id"], 7);
  EXPECT_EQ(body["reply_parameters"]["message_id"], 4);
}

} // namespace
