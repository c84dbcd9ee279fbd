#include "tests/support/fake_gateway.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <fstream>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
using testing::SizeIs;

namespace {

constexpr std::size_t many = 8;

world_options with_checks(const fake_gateway& gateway) {
  world_options o;
  o.settings += "notifiers: {phone: {plugin: openclaw, url: \"" + gateway.url()
    + "\", token: hook-token}}\n"
      "notificationRouting: {urgent: [phone], action: [phone]}\n";
  o.project = ", ci: {command: [sh, -c, \"grep -q fine state\"]}";
  return o;
}

/// The base fails before anybody has begun.
class RedBase : public testing::Test {
protected:
  RedBase() : w(with_checks(gateway)) {
    w.add_agent("worker", R"(
echo "by $AO_SESSION" > "$AO_SESSION.txt"
cat "$AO_PROMPT_FILE" >> "$HOME/prompts"
git add --all
git commit --quiet --message "Work of $AO_SESSION"
)");
    set("broken");
  }

  void set(const std::string& state) {
    std::ofstream{w.checkout() / "state"} << state << "\n";
    w.git(w.checkout(), {"add", "state"});
    w.git(w.checkout(), {"commit", "--quiet", "-m", "It is " + state});
  }

  /// A change of its own for each.
  void begin() {
    w.start();
    for (std::size_t n = 1; n <= many; ++n)
      w.ask({"spawn", w.add_task("Task " + std::to_string(n))});
  }

  /// Waits until all of them have failed for the same reason.
  void await_all() {
    w.await([this](const json&) {
      return w.ask({"incident", "show", "inc-1"}).value("count", 0u) == many;
    });
  }

  fake_gateway gateway;
  world w;
};

TEST_F(RedBase, IsOneIncidentAndOneNotificationAndBlamesNobody) {
  begin();
  w.await("incident_asked", "incident:inc-1");
  await_all();
  ASSERT_TRUE(gateway.await([](const auto& read) { return !read.empty(); }));
  auto open = w.ask({"incident", "ls"})["data"];
  ASSERT_THAT(open, SizeIs(1));
  EXPECT_EQ(open[0]["cause"], "base_red");
  EXPECT_EQ(open[0]["attempts"], 0);
  EXPECT_EQ(open[0]["task"], nullptr);
  EXPECT_THAT(gateway.read_by_person(), SizeIs(1));
  EXPECT_THAT(gateway.read_by_person()[0], HasSubstr("main itself fails at"));
  EXPECT_EQ(open[0]["sha"], w.git(w.checkout(), {"rev-parse", "main"}));
  EXPECT_THAT(w.ask({"messages"})["data"], SizeIs(0));
}

TEST_F(RedBase, LetsAllGoOnWhenItIsGreenAgain) {
  begin();
  await_all();
  w.kill_hub();
  set("fine");
  w.start();
  for (std::size_t n = 1; n <= many; ++n)
    w.await("merged", "change:app#" + std::to_string(n));
  auto closed = w.await("incident_closed", "incident:inc-1");
  EXPECT_EQ(closed["data"]["by"], "recovery");
  EXPECT_THAT(w.ask({"incident", "ls", "--all"})["data"], SizeIs(1));
  for (std::size_t n = 1; n <= many; ++n)
    EXPECT_EQ(w.ask({"session", "show", "app-" + std::to_string(n)})["run"], 1);
}

TEST_F(RedBase, ExcusesNobodyWhoFailsByHimself) {
  w.add_agent("slip", R"(
[ "$AO_RUN" != 1 ] || echo wrong > state
[ "$AO_RUN" = 1 ] || echo fine > state
git add --all
git commit --quiet --message "Work of $AO_SESSION"
)");
  set("fine");
  w.start();
  w.ask({"spawn", w.add_task("Task"), "--agent", "slip"});
  w.await("merged", "change:app#1");
  auto known = w.ask({"incident", "show", "inc-1"});
  EXPECT_EQ(known["cause"], "ci_failed");
  EXPECT_EQ(known["attempts"], 1);
}

} // namespace
