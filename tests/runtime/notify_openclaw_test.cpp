#include "messages/json.hpp"
#include "runtime/home/files.hpp"
#include "runtime/notify/openclaw.hpp"
#include "runtime/rules/send_form.hpp"
#include "tests/support/notifications.hpp"
#include "tests/support/store_fixture.hpp"

#include <gmock/gmock.h>

using namespace ao;
using namespace ao::notify;
using kind = send_outcome::kind;

namespace {

notifier_settings gateway(const std::string& generation = "auto") {
  notifier_settings out;
  out.plugin = "openclaw";
  out.url = "http://127.0.0.1:18789/hooks/agent";
  out.generation = generation;
  out.channel = "telegram";
  out.to = "42";
  return out;
}

json body_for(const notifier_settings& to,
              const notification& n = question_row()) {
  return json::parse(openclaw_call(to, n, "t").body);
}

send_outcome read(int status, const std::string& body = {},
                  notifier_settings to = gateway(),
                  notification n = question_row()) {
  return read_openclaw(to, n, reply_of(status, body), {});
}

TEST(OpenClaw, IsSentWhatEveryGenerationTakes) {
  auto n = question_row();
  for (auto generation : {"auto", "1", "2", "3"}) {
    auto call = openclaw_call(gateway(generation), n, "hook-token");
    auto body = json::parse(call.body);
    EXPECT_EQ(body["message"], n.text);
    EXPECT_EQ(body["name"], "AO");
    EXPECT_EQ(body["wakeMode"], "now");
    EXPECT_EQ(body["deliver"], true);
    EXPECT_EQ(body["channel"], "telegram");
    EXPECT_EQ(body["to"], "42");
    EXPECT_EQ(body["idempotencyKey"], n.key);
    EXPECT_FALSE(body.contains("sessionKey"));
    EXPECT_THAT(call.headers,
                testing::Contains(testing::Pair("Idempotency-Key", n.key)));
    EXPECT_THAT(
      call.headers,
      testing::Contains(testing::Pair("Authorization", "Bearer hook-token")));
  }
}

TEST(OpenClaw, IsAskedForItsEndWhereItMayTell) {
  EXPECT_EQ(body_for(gateway("auto"))["waitForCompletion"], true);
  EXPECT_EQ(body_for(gateway("3"))["waitForCompletion"], true);
  EXPECT_FALSE(body_for(gateway("1")).contains("waitForCompletion"));
  EXPECT_FALSE(body_for(gateway("2")).contains("waitForCompletion"));
  EXPECT_GE(openclaw_call(gateway(), question_row(), "").timeout,
            std::chrono::seconds{75});
  EXPECT_EQ(openclaw_call(gateway("2"), question_row(), "").timeout,
            std::chrono::seconds{20});
  auto to = gateway("3");
  to.wait_for_completion = false;
  EXPECT_FALSE(body_for(to).contains("waitForCompletion"));
}

TEST(OpenClaw, GetsTheKeysOfGeneration3Only) {
  auto to = gateway("2");
  to.account_id = "me";
  to.session_mode = "persistent";
  EXPECT_FALSE(body_for(to).contains("accountId"));
  EXPECT_FALSE(body_for(to).contains("sessionMode"));
  to.generation = "3";
  EXPECT_EQ(body_for(to)["accountId"], "me");
  EXPECT_EQ(body_for(to)["sessionMode"], "persistent");
}

TEST(OpenClaw, GetsACleanSessionKeyWhereOneIsWanted) {
  auto to = gateway();
  to.session_key_prefix = "hook:ao:";
  auto n = question_row();
  n.session.text = "app/ä 1";
  EXPECT_EQ(body_for(to, n)["sessionKey"], "hook:ao:app----1");
  n.session.text.clear();
  EXPECT_EQ(body_for(to, n)["sessionKey"], "hook:ao:inc-7");
  for (auto word : {form::no_session_key, form::fresh_session}) {
    n.form = std::string{word};
    EXPECT_FALSE(body_for(to, n).contains("sessionKey")) << word;
  }
}

TEST(OpenClaw, IsSentTheSameBytesForTheSameKeyAndForm) {
  auto to = gateway();
  to.session_key_prefix = "hook:";
  auto n = question_row();
  for (auto form : {"", "no-session-key", "no-completion", ".fresh-session",
                    "no-completion .again=1"}) {
    n.form = form;
    auto first = openclaw_call(to, n, "a");
    auto again = n;
    again.attempts = 7;
    again.last_error = "HTTP 503";
    again.next_at = wall_time{std::chrono::hours{1}};
    EXPECT_EQ(first.body, openclaw_call(to, again, "b").body) << form;
  }
  n.form = ".again=2";
  EXPECT_EQ(body_for(to, n)["idempotencyKey"], n.key + "-a2");
}

TEST(OpenClaw, ProvesDeliveryByItsCompletionOnly) {
  EXPECT_EQ(read(202, R"({"ok":true,"runId":"r1"})").what, kind::accepted);
  auto out = read(200, R"({"ok":true,"runId":"r1"})");
  EXPECT_EQ(out.what, kind::accepted);
  EXPECT_EQ(out.remote, "r1");
  // It does not tell, so the next ones are not waited for.
  EXPECT_EQ(out.form, "no-completion");
  EXPECT_EQ(read(200, "not JSON").what, kind::accepted);
  EXPECT_EQ(
    read(200, R"({"completion":{"status":"ok","delivered":true}})").what,
    kind::delivered);
  EXPECT_EQ(
    read(200, R"({"completion":{"status":"ok","delivered":false}})").what,
    kind::accepted);
  auto silent = read(
    200, R"({"completion":{"status":"ok","replyDisposition":"silent"}})");
  EXPECT_EQ(silent.what, kind::accepted);
  EXPECT_EQ(silent.error, "the gateway's agent said nothing");
  EXPECT_EQ(read(204).what, kind::accepted);
  EXPECT_NE(read(204).error, "");
}

TEST(OpenClaw, IsSentAFailedRunTwiceMore) {
  auto failed = R"({"completion":{"status":"error"}})";
  auto undelivered
    = R"({"completion":{"status":"ok","deliveryError":"delivery-failed"}})";
  auto n = question_row();
  auto out = read(200, failed, gateway(), n);
  EXPECT_EQ(out.what, kind::reshape);
  EXPECT_EQ(out.form, ".again=1");
  n.form = out.form;
  out = read(200, undelivered, gateway(), n);
  EXPECT_EQ(out.form, ".again=2");
  n.form = out.form;
  out = read(200, undelivered, gateway(), n);
  EXPECT_EQ(out.what, kind::refused);
  EXPECT_EQ(out.error, "the gateway could not deliver it: delivery-failed");
}

TEST(OpenClaw, LosesItsSessionKeyWhereNoneIsTaken) {
  auto to = gateway();
  auto said = R"({"ok":false,"error":"sessionKey is disabled for externally"})";
  // Without a key of ours the words are about something else.
  EXPECT_EQ(read(400, said, to).what, kind::refused);
  to.session_key_prefix = "hook:";
  auto out = read(400, said, to);
  EXPECT_EQ(out.what, kind::reshape);
  EXPECT_EQ(out.form, "no-session-key");
  EXPECT_EQ(read(400, "message required", to).what, kind::refused);
}

TEST(OpenClaw, ChangesItsSessionWhereThatHasChanged) {
  auto to = gateway();
  EXPECT_EQ(read(409, "", to).what, kind::passing);
  to.session_key_prefix = "hook:";
  auto out = read(409, "", to);
  EXPECT_EQ(out.what, kind::reshape);
  EXPECT_EQ(out.form, ".fresh-session");
}

TEST(OpenClaw, SaysWhatEachOtherStatusMeans) {
  EXPECT_EQ(read(401, "Unauthorized").what, kind::unusable);
  EXPECT_EQ(read(401).error, "HTTP 401: the gateway does not take the token");
  EXPECT_EQ(read(404).what, kind::unusable);
  EXPECT_EQ(read(405).what, kind::unusable);
  EXPECT_EQ(read(413).what, kind::refused);
  EXPECT_EQ(read(408).what, kind::passing);
  EXPECT_EQ(read(429).what, kind::throttled);
  for (auto status : {0, 500, 502, 503})
    EXPECT_EQ(read(status).what, kind::passing) << status;
}

TEST(OpenClaw, ReadsTheTokenOfTheGateway) {
  test::private_directory home;
  EXPECT_EQ(token_of_gateway(home / ""), "");
  std::filesystem::create_directory(home / ".openclaw");
  auto write = [&](const std::string& text) {
    EXPECT_TRUE(write_file_durably(home / ".openclaw/openclaw.json", text));
    return token_of_gateway(home / "");
  };
  EXPECT_EQ(write("// mine\n{\"hooks\": {\"token\": \"abc\"}}"), "abc");
  EXPECT_EQ(write("{\"hooks\": 7}"), "");
  EXPECT_EQ(write("nonsense"), "");
}

} // namespace
