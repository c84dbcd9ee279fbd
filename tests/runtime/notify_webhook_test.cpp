#include "messages/json.hpp"
#include "runtime/notify/send.hpp"
#include "runtime/notify/webhook.hpp"
#include "tests/support/notifications.hpp"

#include <gmock/gmock.h>

#include <algorithm>

using namespace ao;
using namespace ao::notify;
using kind = send_outcome::kind;

namespace {

std::string header(const http_call& call, const std::string& name) {
  for (const auto& [known, value] : call.headers)
    if (known == name)
      return value;
  return "none";
}

notifier_settings hook(const std::string& plugin = "webhook") {
  notifier_settings out;
  out.plugin = plugin;
  out.url = "https://example.org/hook";
  return out;
}

// The vector that Standard Webhooks publishes.
TEST(Webhook, IsSignedAsTheStandardSays) {
  auto signature = webhook_signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                     "msg_p5jXN8AQM9LWM0D4loKWxJek",
                                     "1614265330", R"({"test": 2432232314})");
  ASSERT_TRUE(signature);
  EXPECT_EQ(*signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(Webhook, TakesSecretsWithAndWithoutPadding) {
  auto padded = webhook_signature("whsec_YWJjZA==", "id", "1", "{}");
  auto bare = webhook_signature("whsec_YWJjZA", "id", "1", "{}");
  ASSERT_TRUE(padded && bare);
  EXPECT_EQ(*padded, *bare);
}

TEST(Webhook, RefusesWhatIsNoSecret) {
  for (auto text : {"", "whsec_", "whsec_=", "whsec_====", "whsec_A",
                    "whsec_AB=C", "whsec_A B C", "whsec_\xc3\xa4", "MfKQ9r8G"})
    EXPECT_FALSE(webhook_signature(text, "id", "1", "{}")) << text;
}

TEST(Webhook, SendsTheSameBytesAtEachAttempt) {
  auto to = hook();
  to.secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  to.token = "bearer-token";
  to.headers = {{"X-Team", "red"}};
  auto n = question_row();
  auto first = webhook_call(to, n, wall_time{std::chrono::seconds{1}});
  auto later = webhook_call(to, n, wall_time{std::chrono::seconds{61}});
  ASSERT_TRUE(first && later);
  EXPECT_EQ(first->body, later->body);
  EXPECT_EQ(header(*first, "webhook-id"), n.key);
  EXPECT_EQ(header(*later, "webhook-id"), n.key);
  EXPECT_EQ(header(*later, "webhook-timestamp"), "61");
  EXPECT_EQ(header(*first, "Idempotency-Key"), n.key);
  EXPECT_EQ(header(*first, "Authorization"), "Bearer bearer-token");
  EXPECT_EQ(header(*first, "X-Team"), "red");
  EXPECT_EQ(header(*first, "webhook-signature"),
            *webhook_signature(to.secret, n.key, "1", first->body));
  auto body = json::parse(first->body);
  EXPECT_EQ(body["type"], "notification_with_actions");
  EXPECT_EQ(body["event"]["sessionId"], "app-1");
  EXPECT_EQ(body["event"]["message"], n.text);
  EXPECT_EQ(body["event"]["data"]["case"], "inc-7");
  EXPECT_EQ(body["actions"][1]["label"], "abandon");
  EXPECT_EQ(body["idempotencyKey"], n.key);
}

TEST(Webhook, WithAWrongSecretIsUnusable) {
  auto to = hook();
  to.secret = "of-another-form";
  auto out = send(to, question_row(), {}, {});
  EXPECT_EQ(out.what, kind::unusable);
  EXPECT_EQ(out.error, "the secret is not of the form whsec_<base64>");
}

TEST(Webhook, IsAcceptedByAnySuccess) {
  for (auto status : {200, 201, 202, 204, 299})
    EXPECT_EQ(read_webhook(question_row(), reply_of(status), {}).what,
              kind::accepted);
  EXPECT_EQ(read_webhook(question_row(), reply_of(301), {}).what,
            kind::unusable);
}

TEST(Slack, EscapesItsOwnCharacters) {
  auto to = hook("slack");
  to.channel = "#ops";
  to.username = "ao";
  auto n = question_row();
  n.text = "<!channel> a & b > c &lt;\n";
  auto body = json::parse(slack_call(to, n).body);
  EXPECT_EQ(body["text"], "&lt;!channel&gt; a &amp; b &gt; c &amp;lt;\n");
  EXPECT_EQ(body["channel"], "#ops");
  EXPECT_EQ(body["username"], "ao");
  EXPECT_EQ(body["unfurl_links"], false);
}

TEST(Slack, WithoutItsAddressSaysSo) {
  auto to = hook("slack");
  to.url.clear();
  auto out = send(to, question_row(), {}, {});
  EXPECT_EQ(out.what, kind::refused);
  EXPECT_EQ(out.error, "the notifier has no webhookUrl");
}

TEST(Slack, OfAGoneWebhookIsUnusable) {
  auto out = read_webhook(question_row(), reply_of(404, "no_service"), {});
  EXPECT_EQ(out.what, kind::unusable);
  EXPECT_EQ(out.error, "HTTP 404: no_service");
  EXPECT_EQ(
    read_webhook(question_row(), reply_of(400, "invalid_payload"), {}).what,
    kind::refused);
}

} // namespace
