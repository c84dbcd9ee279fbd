#include "messages/json.hpp"
#include "runtime/notify/send.hpp"
#include "runtime/notify/telegram.hpp"
#include "tests/support/loopback_server.hpp"
#include "tests/support/notifications.hpp"

#include <gmock/gmock.h>

using namespace ao;
using namespace ao::notify;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using kind = send_outcome::kind;

namespace {

notifier_settings phone(const std::string& to = "42") {
  notifier_settings out;
  out.id = "phone";
  out.plugin = "telegram";
  out.token = "123456:" + std::string(35, 's');
  out.to = to;
  return out;
}

json body_of(const http_call& call) {
  return json::parse(call.body);
}

json call_of(const notification& n, const notifier_settings& to = phone()) {
  return body_of(telegram_call(to, n, {n.text}, 0));
}

std::string repeated(const std::string& text, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i)
    out += text;
  return out;
}

const std::string taken = R"({"ok":true,"result":{"message_id":17}})";

/// Scripted answers, and the texts that were sent.
struct bot {
  std::vector<http_reply> script;
  std::vector<std::string> texts;

  http_reply operator()(const http_call& call) {
    texts.push_back(body_of(call)["text"]);
    auto out = script.front();
    script.erase(script.begin());
    return out;
  }
};

send_outcome send_by(bot& b, const notification& n) {
  return send_telegram(phone(), n, {},
                       [&b](const http_call& call) { return b(call); });
}

TEST(Telegram, SplitsAtUnitsOfUtf16) {
  EXPECT_THAT(split_text(""), ElementsAre());
  auto exact = repeated("ä", longest_telegram);
  EXPECT_THAT(split_text(exact), ElementsAre(exact));
  EXPECT_THAT(split_text(exact + "b"), ElementsAre(exact, "b"));
  // A character beyond the first plane is two units and never cut.
  auto wide = repeated("🦊", longest_telegram / 2);
  EXPECT_THAT(split_text(wide), ElementsAre(wide));
  EXPECT_THAT(
    split_text("b" + wide),
    ElementsAre("b" + repeated("🦊", longest_telegram / 2 - 1), "🦊"));
}

TEST(Telegram, SplitsAtLineBreaksWhereThereAreSome) {
  EXPECT_THAT(split_text("one\ntwo\nthree", 10),
              ElementsAre("one\ntwo\n", "three"));
}

TEST(Telegram, SendsNoBlankPart) {
  EXPECT_THAT(split_text(" \n\t\n"), ElementsAre());
  EXPECT_THAT(split_text(std::string(longest_telegram, 'x') + "\n"),
              ElementsAre(std::string(longest_telegram, 'x')));
  EXPECT_THAT(split_text("abcd\n\n\n\n\n\n\n\nefgh", 4),
              ElementsAre("abcd", "efgh"));
}

TEST(Telegram, SplitsWhatIsNoUtf8WithoutEnd) {
  std::string junk(10'000, '\xf0');
  std::string joined;
  for (const auto& part : split_text(junk, 7))
    joined += part;
  EXPECT_EQ(joined, junk);
}

TEST(Telegram, PutsButtonsOnTheLastPart) {
  auto n = question_row();
  std::vector<std::string> parts = {"one", "two"};
  EXPECT_FALSE(
    body_of(telegram_call(phone(), n, parts, 0)).contains("reply_markup"));
  auto rows = body_of(
    telegram_call(phone(), n, parts, 1))["reply_markup"]["inline_keyboard"];
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1][0]["text"], "abandon");
  EXPECT_EQ(rows[1][0]["callback_data"], "inc-7 2 1 ABCDEFGH");
}

TEST(Telegram, LeavesOutButtonsThatItWouldRefuse) {
  auto n = question_row();
  n.options = {"", "\n", repeated("ä", 200), "good"};
  auto rows = call_of(n)["reply_markup"]["inline_keyboard"];
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0][0]["text"], repeated("ä", 64));
  EXPECT_EQ(rows[1][0]["callback_data"], "inc-7 2 3 ABCDEFGH");
  n.options.assign(500, "x");
  EXPECT_LE(call_of(n)["reply_markup"]["inline_keyboard"].size(), 100u);
  // More than 64 bytes of data, and nothing to answer with.
  n.subject = std::string(60, 'x');
  EXPECT_FALSE(call_of(n).contains("reply_markup"));
  n = question_row();
  n.text = "Case inc-7\nNo answer is needed any more.\n";
  EXPECT_FALSE(call_of(n).contains("reply_markup"));
}

TEST(Telegram, NamesChatAndTopic) {
  auto n = question_row();
  EXPECT_EQ(call_of(n)["chat_id"], "42");
  EXPECT_EQ(call_of(n, phone("@news"))["chat_id"], "@news");
  auto topic = call_of(n, phone("-100123:topic:7"));
  EXPECT_EQ(topic["chat_id"], "-100123");
  EXPECT_EQ(topic["message_thread_id"], 7);
  EXPECT_FALSE(
    call_of(n, phone("-100123:topic:1")).contains("message_thread_id"));
}

TEST(Telegram, TakesTheMessagesNumberForProof) {
  auto n = question_row();
  auto out = read_telegram(n, reply_of(200, taken), {});
  EXPECT_EQ(out.what, kind::delivered);
  EXPECT_EQ(out.remote, "17");
  EXPECT_EQ(read_telegram(n, reply_of(200, R"({"ok":true})"), {}).what,
            kind::accepted);
  for (auto odd : {"", "<html>", "[]", R"({"ok":false})", R"({"ok":"yes"})"})
    EXPECT_EQ(read_telegram(n, reply_of(200, odd), {}).what, kind::passing)
      << odd;
}

TEST(Telegram, WaitsAsLongAsItIsTold) {
  auto out
    = read_telegram(question_row(),
                    reply_of(429,
                             R"({"ok":false,"description":"Too Many Requests",)"
                             R"("parameters":{"retry_after":33}})"),
                    {});
  EXPECT_EQ(out.what, kind::throttled);
  EXPECT_EQ(out.retry_after, milliseconds{33'000});
  EXPECT_EQ(out.error, "HTTP 429: Too Many Requests");
  for (auto odd : {"-1", "\"9\"", "1e99", "null"})
    EXPECT_FALSE(read_telegram(question_row(),
                               reply_of(429,
                                        R"({"parameters":{"retry_after":)"
                                          + std::string{odd} + "}}"),
                               {})
                   .retry_after)
      << odd;
}

TEST(Telegram, TakesAWrongChatForAnUnusableChannel) {
  auto read = [](int status, const std::string& said) {
    return read_telegram(
             question_row(),
             reply_of(status,
                      json{{"ok", false}, {"description", said}}.dump()),
             {})
      .what;
  };
  EXPECT_EQ(read(400, "Bad Request: chat not found"), kind::unusable);
  EXPECT_EQ(read(400, "Bad Request: message thread not found"), kind::unusable);
  EXPECT_EQ(read(400, "Bad Request: message is too long"), kind::refused);
  EXPECT_EQ(read(401, "Unauthorized"), kind::unusable);
  EXPECT_EQ(read(403, "Forbidden: bot was blocked by the user"),
            kind::unusable);
}

TEST(Telegram, ResumesAfterAPartThatFailed) {
  auto n = question_row();
  n.text = std::string(longest_telegram, 'a') + std::string(10, 'b');
  bot b{{reply_of(200, taken), reply_of(502)}, {}};
  auto first = send_by(b, n);
  EXPECT_EQ(first.what, kind::passing);
  EXPECT_EQ(first.form, ".parts=1");
  n.form = first.form;
  b.script = {reply_of(200, R"({"ok":true,"result":{"message_id":18}})")};
  auto second = send_by(b, n);
  EXPECT_EQ(second.what, kind::delivered);
  EXPECT_EQ(second.remote, "18");
  ASSERT_EQ(b.texts.size(), 3u);
  EXPECT_EQ(b.texts[1], b.texts[2]);
  EXPECT_EQ(b.texts[2], std::string(10, 'b'));
}

TEST(Telegram, NeverTellsItsToken) {
  auto to = phone();
  // An answer that quotes the request.
  loopback_server server{[](const loopback_request& r) {
    loopback_reply out;
    out.status = 404;
    out.body = json{{"description", "no " + r.target}}.dump();
    return out;
  }};
  to.api_root = server.url();
  auto out = send(to, question_row(), {}, {});
  EXPECT_EQ(out.what, kind::unusable);
  EXPECT_THAT(out.error, HasSubstr("no /bot***/sendMessage"));
  to.api_root = "http://127.0.0.1:1";
  EXPECT_THAT(send(to, question_row(), {}, {}).error, Not(HasSubstr("sss")));
}

} // namespace
