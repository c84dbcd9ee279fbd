#include "tests/support/agent_scripts.hpp"
#include "tests/support/fake_gateway.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

using namespace ao;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

namespace {

using mishap = gateway_mishap::kind;

world_options with_gateway(const fake_gateway& gateway,
                           const std::string& members = {}) {
  world_options o;
  o.settings += "escalation: {selfHeal: {attempts: 1}, "
                "mediation: {rounds: 0}}\n"
                "notifiers: {phone: {plugin: openclaw, url: \""
    + gateway.url() + "\", token: hook-token, retryDelay: 100ms" + members
    + "}}\n"
      "notificationRouting: {urgent: [phone], action: [phone]}\n";
  o.project = ", " + scripts::wants_fine_work;
  return o;
}

class Gateway : public testing::Test {
protected:
  explicit Gateway(gateway_setup setup = {}, const std::string& members = {})
      : gateway(std::move(setup)), w(with_gateway(gateway, members)) {
    w.add_agent("stubborn", scripts::stubborn);
  }

  json notifications() { return w.ask({"notify", "ls"})["data"]; }

  /// Sends a test and returns its row at the end.
  json test(const std::string& text, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"notify", "test", "--text", text};
    words.insert(words.end(), more.begin(), more.end());
    auto rows = w.ask(words)["data"];
    EXPECT_THAT(rows, SizeIs(1));
    return rows.at(0);
  }

  fake_gateway gateway;
  world w;
};

struct NewGateway : Gateway {
  NewGateway() : Gateway({3}) {}
};

struct KeyedGateway : Gateway {
  KeyedGateway() : Gateway({}, ", sessionKeyPrefix: \"hook:ao:\"") {}
};

struct HastyGateway : Gateway {
  HastyGateway() : Gateway({}, ", timeout: 1s") {}
};

TEST_F(Gateway, HearsAQuestionAndItsEnd) {
  w.start();
  w.ask({"spawn", w.add_task("First")});
  w.await("incident_asked", "incident:inc-1");
  ASSERT_TRUE(gateway.await([](const auto& read) { return read.size() == 1; }));
  auto read = gateway.read_by_person();
  EXPECT_THAT(read[0],
              StartsWith("[AO ACTION] app-1 incident_asked\n"
                         "Case inc-1\n"));
  EXPECT_THAT(read[0], HasSubstr("\nOptions: "));
  auto at = read[0].find("\nCode: ");
  ASSERT_NE(at, std::string::npos);
  auto code = read[0].substr(at + 7, 8);
  EXPECT_THAT(read[0], HasSubstr("\nAnswer: ao incident answer inc-1 "));
  EXPECT_EQ(
    w.ao({"incident", "answer", "inc-1", "xyzzy", "--code", code}).status.code,
    0);
  w.await("merged", "change:app#1");
  ASSERT_TRUE(gateway.await([](const auto& read) { return read.size() == 2; }));
  EXPECT_THAT(gateway.read_by_person()[1], StartsWith("[AO INFO] app-1"));
  w.await("notification_accepted", "incident:inc-1",
          w.await("incident_closed", "incident:inc-1")["seq"]);
  auto rows = notifications();
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0]["state"], "accepted");
  EXPECT_EQ(rows[0]["case"], "inc-1");
  EXPECT_EQ(rows[0]["channel"], "phone");
  EXPECT_THAT(rows.dump(), Not(HasSubstr(code)));
}

TEST_F(Gateway, OfTheDefaultPolicyIsAskedWithoutASessionKey) {
  w.start();
  auto row = test("Hello");
  EXPECT_EQ(row["state"], "accepted");
  auto asked = gateway.requests();
  ASSERT_THAT(asked, SizeIs(1));
  auto body = json::parse(asked[0].body);
  EXPECT_FALSE(body.contains("sessionKey"));
  EXPECT_EQ(body["idempotencyKey"], asked[0].headers.at("idempotency-key"));
}

TEST_F(Gateway, ThatGoesDownLosesNothing) {
  gateway.plan({{mishap::reset_before},
                {mishap::reset_after},
                {mishap::status, 500},
                {mishap::status, 502},
                {mishap::status, 503},
                {mishap::status, 408}});
  w.start();
  auto row = test("Through the storm");
  EXPECT_EQ(row["state"], "accepted");
  EXPECT_EQ(row["attempts"], 7);
  auto asked = gateway.requests();
  std::set<std::string> bodies;
  for (const auto& r : asked)
    bodies.insert(r.body);
  EXPECT_THAT(asked, SizeIs(7));
  EXPECT_THAT(bodies, SizeIs(1)) << "the payload is frozen";
  EXPECT_THAT(gateway.read_by_person(),
              ElementsAre(HasSubstr("Through the storm")));
}

TEST_F(Gateway, IsLeftAloneAsLongAsItSays) {
  gateway.plan({{mishap::status, 429, "2"}});
  w.start();
  EXPECT_EQ(test("Later")["state"], "accepted");
  auto asked = gateway.requests();
  ASSERT_THAT(asked, SizeIs(2));
  EXPECT_GE(asked[1].at - asked[0].at, std::chrono::seconds{2});
}

TEST_F(Gateway, WithAnotherTokenIsToldNothingTwiceAndLosesNothing) {
  gateway.restart({2, "another"});
  w.start();
  w.ask({"notify", "test", "--text", "Kept", "--no-wait"});
  ASSERT_TRUE(gateway.await_requests(1));
  auto failed = w.await("notification_failed", "hub");
  EXPECT_EQ(failed["data"]["alert"], true);
  EXPECT_THAT(failed["data"]["error"].get<std::string>(), HasSubstr("401"));
  EXPECT_THAT(failed.dump(), Not(HasSubstr("hook-token")));
  EXPECT_EQ(notifications()[0]["state"], "pending");
  // Nobody is asked more often because somebody else is to be told.
  w.ask({"notify", "test", "--text", "Kept, too", "--no-wait"});
  EXPECT_THAT(w.ask({"notify", "ls", "--state", "pending"})["data"], SizeIs(2));
  EXPECT_THAT(gateway.requests(), SizeIs(1));
  EXPECT_THAT(gateway.read_by_person(), SizeIs(0));
}

TEST_F(Gateway, ThatRefusesATextIsNotAskedAgainUntilAPersonWantsIt) {
  gateway.plan({{mishap::status, 400}});
  w.start();
  auto ended = w.ao({"notify", "test", "--text", "Odd", "--json"});
  EXPECT_EQ(ended.status.code, 1);
  EXPECT_THAT(ended.err, HasSubstr("phone/test-1/1 is dead: HTTP 400"));
  EXPECT_THAT(gateway.requests(), SizeIs(1));
  auto dead = w.ask({"notify", "ls", "--state", "dead"})["data"];
  ASSERT_THAT(dead, SizeIs(1));
  auto failed = w.await("notification_failed", "hub");
  auto retried = w.ask({"notify", "retry", "phone/test-1/1"});
  EXPECT_EQ(retried["state"], "pending");
  w.await("notification_accepted", "hub", failed["seq"]);
  EXPECT_EQ(w.ao({"notify", "retry", "phone/test-1/1"}).status.code, 4);
  EXPECT_EQ(w.ao({"notify", "retry", "phone/none/1"}).status.code, 3);
}

TEST_F(HastyGateway, ThatHangsDelaysNothingElse) {
  gateway.plan_each([](std::size_t) { return gateway_mishap{mishap::hang}; });
  w.start();
  w.ask({"notify", "test", "--text", "Nobody hears", "--no-wait"});
  ASSERT_TRUE(gateway.await_requests(1));
  w.ask({"spawn", w.add_task("xyzzy")});
  w.await("merged", "change:app#1");
  EXPECT_EQ(notifications()[0]["state"], "pending");
}

TEST_F(NewGateway, ProvesWhatAPersonHasRead) {
  gateway.plan({{mishap::undelivered}});
  w.start();
  auto row = test("Proof");
  EXPECT_EQ(row["state"], "delivered");
  EXPECT_EQ(row["attempts"], 2);
  EXPECT_THAT(gateway.read_by_person(), ElementsAre(HasSubstr("Proof")));
}

TEST_F(Gateway, HearsEachOnceThoughTheHubDies) {
  // Each first attempt is cut when the run has begun.
  gateway.plan_each([](std::size_t n) {
    return gateway_mishap{n % 2 == 0 ? mishap::reset_after : mishap::none};
  });
  w.start();
  constexpr int count = 12;
  for (int i = 0; i < count; ++i) {
    w.ask({"notify", "test", "--text", "Number " + std::to_string(i) + ".",
           "--no-wait"});
    if (i % 4 == 3) {
      w.kill_hub();
      w.start();
    }
  }
  EXPECT_TRUE(
    gateway.await([](const auto& read) { return read.size() >= count; }));
  w.await([this](const json&) {
    auto rows = notifications();
    return std::all_of(rows.begin(), rows.end(),
                       [](const json& n) { return n["state"] == "accepted"; });
  });
  auto read = gateway.read_by_person();
  EXPECT_EQ(std::set<std::string>(read.begin(), read.end()).size(), count);
  EXPECT_THAT(read, SizeIs(count));
}

TEST_F(KeyedGateway, LearnsOnceThatItTakesNoSessionKey) {
  w.start();
  EXPECT_EQ(test("One")["attempts"], 2);
  EXPECT_EQ(test("Two", {"phone"})["attempts"], 2) << "a test learns anew";
  w.ask({"spawn", w.add_task("First")});
  w.await("incident_asked", "incident:inc-1");
  ASSERT_TRUE(gateway.await([](const auto& read) { return read.size() == 3; }));
  auto asked = gateway.requests();
  ASSERT_THAT(asked, SizeIs(5));
  EXPECT_EQ(json::parse(asked[0].body)["sessionKey"], "hook:ao:test-1");
  EXPECT_FALSE(json::parse(asked[4].body).contains("sessionKey"));
}

TEST(Notices, TellWhatWaitsToBeMergedAndThatAllIsDone) {
  fake_gateway gateway{{3}};
  auto o = with_gateway(gateway);
  const std::string routed = "action: [phone]}";
  o.settings.replace(o.settings.find(routed), routed.size(),
                     "action: [phone], info: [phone]}");
  o.settings += "reactions:\n"
                "  approved-and-green: {action: notify, message: Look at it.}\n"
                "  all-complete: {action: notify, includeSummary: true}\n";
  world w{o};
  w.add_agent("stubborn",
              "echo fine > work\ngit add --all\n"
              "git commit --quiet --message Work\n");
  w.start();
  w.ask({"spawn", w.add_task("First")});
  w.add_task("Second");
  w.await("merge_ready", "change:app#1");
  auto so_many = [&](std::size_t n) {
    return gateway.await([n](const auto& read) { return read.size() >= n; });
  };
  ASSERT_TRUE(so_many(1));
  EXPECT_THAT(gateway.read_by_person().at(0),
              HasSubstr("Merge: ao pr merge app#1"));
  EXPECT_THAT(gateway.read_by_person().at(0), HasSubstr("Look at it."));
  EXPECT_THAT(w.ao({"status"}).out,
              HasSubstr("app#1 waits for: ao pr merge app#1"));
  // A death of the hub tells nothing twice.
  w.kill_hub();
  w.start();
  auto merged = w.ao({"pr", "merge", "app#1"});
  EXPECT_EQ(merged.status.code, 0) << merged.err;
  EXPECT_EQ(merged.out, "app#1 is queued to be merged\n");
  EXPECT_EQ(w.await("merge_queued", "change:app#1")["data"]["by"], "api");
  w.await("merged", "change:app#1");
  EXPECT_EQ(w.ao({"pr", "merge", "app#1"}).out, "app#1 is merged\n");
  EXPECT_EQ(w.ao({"pr", "merge", "app#7"}).status.code, 3);
  ASSERT_TRUE(so_many(2));
  auto last = gateway.read_by_person().at(1);
  EXPECT_THAT(last, HasSubstr("[AO INFO] - all_complete"));
  EXPECT_THAT(last, HasSubstr("T2 (ready): Second"));
  EXPECT_THAT(gateway.read_by_person(), SizeIs(2));
}

} // namespace
