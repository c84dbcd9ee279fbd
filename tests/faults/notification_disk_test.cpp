// A question on its way to a person while the disk takes no writes.

#include "tests/support/agent_scripts.hpp"
#include "tests/support/fake_gateway.hpp"
#include "tests/support/machine_faults.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;

namespace {

world_options asking_at_once(const fake_gateway& gateway) {
  world_options o;
  o.settings
    += "escalation: {selfHeal: {attempts: 0}, mediation: {rounds: 0}}\n"
       "notifiers: {phone: {plugin: openclaw, url: \""
    + gateway.url()
    + "\", token: hook-token, retryDelay: 100ms}}\n"
      "notificationRouting: {urgent: [phone], action: [phone]}\n";
  o.project = ", " + scripts::wants_fine_work;
  return o;
}

TEST(QuestionOnAFailingDisk, IsReadOnceAndAnsweredWhenItWritesAgain) {
  fake_gateway gateway{{3}};
  std::atomic<bool> open{false};
  gateway.plan_each([&open](std::size_t) {
    gateway_mishap out;
    if (!open)
      out.what = gateway_mishap::kind::status;
    return out;
  });
  world w{asking_at_once(gateway)};
  machine_faults faults{w.root() / "faults", w.home()};
  for (const auto& [name, value] : faults.variables())
    w.set_variable(name, value);
  w.add_agent("stubborn", scripts::stubborn);
  w.start();
  w.ask({"spawn", w.add_task("First")});
  w.await("incident_asked", "incident:inc-1");
  ASSERT_TRUE(gateway.await_requests(1));

  faults.fail_writes(EROFS);
  auto refused = w.ao({"incident", "answer", "inc-1", "xyzzy"});
  EXPECT_EQ(refused.status.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("store_failed"));
  EXPECT_THAT(refused.err, HasSubstr("tried again by itself"));
  // Reading goes on.
  EXPECT_EQ(w.ask({"incident", "show", "inc-1"})["tier"], "human");
  EXPECT_EQ(w.ask({"notify", "ls"})["data"][0]["state"], "pending");
  open = true;

  faults.fail_writes(0);
  w.await("store_recovered", "hub");
  ASSERT_TRUE(gateway.await([](const auto& read) { return !read.empty(); }));
  EXPECT_EQ(w.ao({"incident", "answer", "inc-1", "xyzzy"}).status.code, 0);
  w.await("merged", "change:app#1");
  w.await("incident_closed", "incident:inc-1");
  auto read = gateway.read_by_person();
  EXPECT_EQ(std::count_if(read.begin(), read.end(),
                          [](const std::string& text) {
                            return text.find("incident_asked")
                              != std::string::npos;
                          }),
            1);
}

TEST(QuestionOnAFailingDisk, IsNotLostWhenTheHubDiesMeanwhile) {
  fake_gateway gateway{{3}};
  world w{asking_at_once(gateway)};
  machine_faults faults{w.root() / "faults", w.home()};
  for (const auto& [name, value] : faults.variables())
    w.set_variable(name, value);
  w.add_agent("stubborn",
              "echo \"$AO_RUN\" > work\ngit add --all\n"
              "git commit --quiet --message Work\n");
  w.start();
  auto task = w.add_task("First");
  gateway.plan_each([](std::size_t) {
    gateway_mishap out;
    out.what = gateway_mishap::kind::status;
    return out;
  });
  w.ask({"spawn", task});
  w.await("incident_asked", "incident:inc-1");
  ASSERT_TRUE(gateway.await_requests(1));
  faults.fail_writes(EROFS);
  EXPECT_EQ(w.ao({"incident", "ack", "inc-1"}).status.code, 1);
  w.kill_hub();
  gateway.plan_each({});
  faults.fail_writes(0);
  w.start();
  ASSERT_TRUE(gateway.await([](const auto& read) { return !read.empty(); }));
  EXPECT_THAT(gateway.read_by_person()[0], HasSubstr("incident_asked"));
  EXPECT_EQ(w.ao({"incident", "ack", "inc-1"}).status.code, 0);
}

} // namespace
