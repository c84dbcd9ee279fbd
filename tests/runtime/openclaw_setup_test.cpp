#include "runtime/notify/gateway_probe.hpp"
#include "runtime/notify/openclaw_setup.hpp"
#include "runtime/notify/outcome.hpp"
#include "tests/support/config_reading.hpp"
#include "tests/support/fake_gateway.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace ao;
using namespace ao::notify;
using testing::HasSubstr;
using testing::Not;

namespace {

using form = gateway_file::form;
using state = gateway_probe::state;
using token_key = openclaw_entry::token_key;

std::string url(const std::string& given) {
  auto out = hook_url(given, "/hooks");
  return out ? *out : "! " + out.error().context;
}

settings settings_of(const std::string& yaml) {
  auto out = test::read(yaml);
  EXPECT_EQ(test::report(out), "");
  return out.value.value_or(settings{});
}

/// The changed text, or `! <error>`.
std::string edited(const std::string& yaml, const openclaw_entry& entry) {
  auto out = with_openclaw(yaml, settings_of(yaml), entry);
  return out ? *out : "! " + out.error().context;
}

openclaw_entry entry_of(routing_preset preset) {
  openclaw_entry out;
  out.url = "http://127.0.0.1:1/hooks/agent";
  out.preset = preset;
  out.token = token_key::absent;
  return out;
}

gateway_probe probed(int status, const std::string& body) {
  http_reply reply;
  reply.status = status;
  reply.body = body;
  return read_probe("http://127.0.0.1:1/hooks/agent", reply);
}

/// With the request between.
gateway_probe probe_gateway(const std::string& url, const std::string& token) {
  return read_probe(url, perform(probe_call(url, token), nullptr));
}

constexpr const char* small = "# mine\n"
                              "projects:\n"
                              "  app: {path: /a} # here\n";

} // namespace

TEST(OpenclawUrl, GetsThePathOfHooksWhereItHasNone) {
  EXPECT_EQ(url("http://127.0.0.1:18789"),
            "http://127.0.0.1:18789/hooks/agent");
  EXPECT_EQ(url("https://gate.example/"), "https://gate.example/hooks/agent");
  EXPECT_EQ(url("http://localhost:1/in/agent"), "http://localhost:1/in/agent");
  EXPECT_EQ(*hook_url("http://[::1]:1", "/in"), "http://[::1]:1/in/agent");
}

TEST(OpenclawUrl, IsNotBelievedWhenItGivesTheTokenAway) {
  EXPECT_THAT(url("http://gate.example"), HasSubstr("in the clear"));
  EXPECT_THAT(url("http://127.0.0.1.evil.example"), HasSubstr("in the clear"));
  EXPECT_THAT(url("http://127.0.0.1/?token=x"), HasSubstr("query"));
  for (const auto* text :
       {"", "gate", "ftp://127.0.0.1", "http://", "http:///x",
        "http://127.0.0.1/a b", "http://127.0.0.1/\n"})
    EXPECT_THAT(url(text), HasSubstr("no address")) << text;
}

TEST(GatewayFile, IsReadAsFarAsItIsKnown) {
  EXPECT_EQ(read_gateway_file("").how, form::absent);
  EXPECT_EQ(read_gateway_file(" \n").how, form::absent);
  auto one = read_gateway_file(
    R"({"hooks": {"enabled": true, "token": "t", "path": "in/"}})");
  EXPECT_EQ(one.how, form::strict);
  EXPECT_TRUE(one.enabled);
  EXPECT_TRUE(one.has_token);
  EXPECT_EQ(one.token, "t");
  EXPECT_EQ(one.path, "/in");
  one = read_gateway_file("// mine\n{\"hooks\": {\"token\": \"t\"}}");
  EXPECT_EQ(one.how, form::commented);
  EXPECT_EQ(one.token, "t");
  EXPECT_FALSE(one.enabled);
  for (const auto* text :
       {"{hooks: {}}", "{\"hooks\": {},}", "[]", "x", "{\"hooks\": 1}"})
    EXPECT_EQ(read_gateway_file(text).how, form::unknown) << text;
  // A token that is kept elsewhere is one, but cannot be read.
  one = read_gateway_file(R"({"hooks": {"token": {"source": "env"}}})");
  EXPECT_TRUE(one.has_token);
  EXPECT_EQ(one.token, "");
  EXPECT_FALSE(read_gateway_file(R"({"hooks": {"token": ""}})").has_token);
}

TEST(GatewayFile, GetsWhatTheHooksNeedAndKeepsTheRestInItsOrder) {
  auto out = with_hooks(
    R"({"z": 1, "hooks": {"path": "/in", "token": "old"}, "a": [2.5, null]})",
    std::nullopt);
  ASSERT_TRUE(out);
  EXPECT_EQ(*out,
            "{\n  \"z\": 1,\n  \"hooks\": {\n    \"path\": \"/in\",\n"
            "    \"token\": \"old\",\n    \"enabled\": true\n  },\n"
            "  \"a\": [\n    2.5,\n    null\n  ]\n}\n");
  out = with_hooks("", "new");
  ASSERT_TRUE(out);
  EXPECT_EQ(read_gateway_file(*out).token, "new");
  EXPECT_FALSE(out->find("allowRequestSessionKey") != out->npos);
  EXPECT_FALSE(with_hooks("{} // mine", "new"));
  EXPECT_FALSE(with_hooks("{hooks: {}}", "new"));
}

TEST(GatewayProbe, TellsFromTheAnswerWhatIsWrong) {
  EXPECT_EQ(probed(400, R"({"ok":false,"error":"message required"})").what,
            state::ready);
  EXPECT_EQ(probed(400, "message required").what, state::ready);
  EXPECT_EQ(probed(400, "something else").what, state::unknown);
  EXPECT_EQ(probed(401, "Unauthorized").what, state::wrong_token);
  EXPECT_EQ(probed(404, "Not Found").what, state::no_hooks);
  EXPECT_EQ(probed(405, "").what, state::no_hooks);
  EXPECT_EQ(probed(429, "").what, state::locked_out);
  EXPECT_EQ(probed(503, "").what, state::no_answer);
  EXPECT_EQ(probed(200, "<html>").what, state::unknown);
  for (auto status : {200, 400, 401, 404, 405, 429, 500, 503}) {
    EXPECT_NE(probed(status, "").remedy, "") << status;
    EXPECT_THAT(probed(status, "").detail, HasSubstr(std::to_string(status)));
  }
}

TEST(GatewayProbe, LearnsPathAndTokenWithoutARun) {
  for (auto generation : {1, 2, 3}) {
    gateway_setup setup;
    setup.generation = generation;
    fake_gateway gateway{setup};
    EXPECT_EQ(probe_gateway(gateway.url(), "hook-token").what, state::ready);
    EXPECT_EQ(probe_gateway(gateway.url(), "other").what, state::wrong_token);
    EXPECT_EQ(probe_gateway(gateway.url(), "").what, state::wrong_token);
    EXPECT_EQ(probe_gateway(gateway.url() + "s", "hook-token").what,
              state::no_hooks);
    EXPECT_TRUE(gateway.read_by_person().empty());
    for (const auto& request : gateway.requests())
      EXPECT_FALSE(request.ran);
  }
}

TEST(GatewayProbe, KnowsWhenNobodyListens) {
  std::string url;
  {
    fake_gateway gone;
    url = gone.url();
  }
  auto seen = probe_gateway(url, "t");
  EXPECT_EQ(seen.what, state::not_running) << seen.detail;
  EXPECT_THAT(seen.remedy, HasSubstr("start the gateway"));
}

TEST(OpenclawEntry, IsWrittenBesideWhatIsThere) {
  EXPECT_EQ(edited(small, entry_of(routing_preset::urgent_action)),
            "# mine\n"
            "projects:\n"
            "  app: {path: /a} # here\n"
            "notifiers:\n"
            "  openclaw:\n"
            "    plugin: openclaw\n"
            "    url: http://127.0.0.1:1/hooks/agent\n"
            "defaults:\n"
            "  notifiers: [openclaw]\n"
            "notificationRouting:\n"
            "  urgent: [openclaw]\n"
            "  action: [openclaw]\n"
            "  warning: []\n"
            "  info: []\n");
}

TEST(OpenclawEntry, WritesTheVariableWhereTheTokenIsNowhereElse) {
  auto entry = entry_of(routing_preset::all);
  entry.token = token_key::from_environment;
  EXPECT_THAT(edited(small, entry),
              HasSubstr("    token: \"${OPENCLAW_HOOKS_TOKEN}\"\n"));
  auto with = edited(small, entry);
  entry.token = token_key::as_it_is;
  auto now = test::read(with, {{"OPENCLAW_HOOKS_TOKEN", "t"}});
  ASSERT_TRUE(now.value);
  EXPECT_EQ(*with_openclaw(with, *now.value, entry), with);
  entry.token = token_key::absent;
  EXPECT_THAT(*with_openclaw(with, *now.value, entry), Not(HasSubstr("token")));
}

TEST(OpenclawEntry, KeepsTheNotifiersOfOthersInEachRoute) {
  std::string yaml = std::string{small}
    + "defaults: {notifiers: [desktop]}\n"
      "notificationRouting:\n"
      "  urgent:\n"
      "    - desktop # at work\n"
      "  info: []\n";
  auto all = edited(yaml, entry_of(routing_preset::all));
  EXPECT_THAT(all, HasSubstr("defaults: {notifiers: [desktop, openclaw]}\n"));
  EXPECT_THAT(all, HasSubstr("    - desktop # at work\n    - openclaw\n"));
  EXPECT_THAT(all, HasSubstr("  info: [openclaw]\n"));
  EXPECT_THAT(all, HasSubstr("  action: [desktop, openclaw]\n"));
  auto fewer = edited(all, entry_of(routing_preset::urgent_only));
  EXPECT_THAT(fewer, HasSubstr("    - desktop # at work\n    - openclaw\n"));
  EXPECT_THAT(fewer, HasSubstr("  info: []\n"));
  EXPECT_THAT(fewer, HasSubstr("  action: [desktop]\n"));
}

TEST(OpenclawEntry, IsTheSameTheSecondTime) {
  for (auto preset : {routing_preset::urgent_only,
                      routing_preset::urgent_action, routing_preset::all})
    for (const auto* yaml :
         {small, "{projects: {app: {path: /a}}}\n",
          "projects: {app: {path: /a}}\r\nnotifiers: {}\r\n"}) {
      auto once = edited(yaml, entry_of(preset));
      EXPECT_NE(once, yaml);
      EXPECT_EQ(edited(once, entry_of(preset)), once);
    }
}

TEST(OpenclawEntry, FindsTheNotifierThatIsMeant) {
  auto id = [](const std::string& notifiers) {
    auto out = notifier_of_gateway(
      settings_of(std::string{small} + "notifiers: " + notifiers + "\n"));
    return out ? *out : "! " + out.error().context;
  };
  EXPECT_EQ(id("{}"), "openclaw");
  EXPECT_EQ(id("{phone: {plugin: openclaw}}"), "phone");
  EXPECT_EQ(id("{phone: {plugin: openclaw}, openclaw: {plugin: openclaw}}"),
            "openclaw");
  EXPECT_THAT(id("{a: {plugin: openclaw}, b: {plugin: openclaw}}"),
              HasSubstr("[a, b]"));
  EXPECT_THAT(id("{openclaw: {plugin: desktop}}"), HasSubstr("rename"));
}

TEST(OpenclawEntry, NamesThePresets) {
  EXPECT_EQ(*parse_preset("urgent-only"), routing_preset::urgent_only);
  EXPECT_EQ(*parse_preset("all"), routing_preset::all);
  EXPECT_THAT(parse_preset("none").error().context, HasSubstr("urgent-only"));
}

TEST(OpenclawEntry, IsShownAsLinesThatAreValid) {
  auto entry = entry_of(routing_preset::all);
  std::string yaml = small;
  for (const auto& line : openclaw_lines(settings_of(small), entry))
    yaml += line + "\n";
  EXPECT_EQ(settings_of(yaml).notification_routing.info->front(), "openclaw");
  EXPECT_EQ(yaml, edited(small, entry));
}

TEST(RetryAfter, IsReadAsSecondsOrAsADate) {
  auto wait = [](const std::string& text) {
    http_reply reply;
    reply.headers["retry-after"] = text;
    wall_time now{std::chrono::seconds{784'111'777}};
    return retry_after_of(reply, now);
  };
  EXPECT_EQ(wait("60"), std::chrono::seconds{60});
  EXPECT_EQ(wait("Sun, 06 Nov 1994 08:50:00 GMT"), std::chrono::seconds{23});
  EXPECT_EQ(wait("Sun, 06 Nov 1994 08:00:00 GMT"), std::chrono::seconds{0});
  EXPECT_EQ(wait("soon"), std::nullopt);
  EXPECT_EQ(wait("Sun, 06 Nov 1994 08:50:00 GMT or so"), std::nullopt);
}
