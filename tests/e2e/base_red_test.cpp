#include "tests/support/red_base.hpp"

#include <gmock/gmock.h>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
using testing::SizeIs;

namespace {

constexpr std::size_t many = 8;

/// The base fails before anybody has begun.
class RedBase : public testing::Test {
protected:
  red_base all;
  world& w = all.in();
};

TEST_F(RedBase, IsOneIncidentAndOneNotificationAndBlamesNobody) {
  all.begin(many);
  w.await("incident_asked", "incident:inc-1");
  all.await_count(many);
  ASSERT_TRUE(
    all.gateway().await([](const auto& read) { return !read.empty(); }));
  auto open = w.ask({"incident", "ls"})["data"];
  ASSERT_THAT(open, SizeIs(1));
  EXPECT_EQ(open[0]["cause"], "base_red");
  EXPECT_EQ(open[0]["attempts"], 0);
  EXPECT_EQ(open[0]["task"], nullptr);
  EXPECT_THAT(all.gateway().read_by_person(), SizeIs(1));
  EXPECT_THAT(all.gateway().read_by_person()[0],
              HasSubstr("main itself fails at"));
  EXPECT_EQ(open[0]["sha"], w.git(w.checkout(), {"rev-parse", "main"}));
  EXPECT_THAT(w.ask({"messages"})["data"], SizeIs(0));
}

TEST_F(RedBase, LetsAllGoOnWhenItIsGreenAgain) {
  all.begin(many);
  all.await_count(many);
  w.kill_hub();
  all.set("fine");
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
  all.set("fine");
  w.start();
  w.ask({"spawn", w.add_task("Task"), "--agent", "slip"});
  w.await("merged", "change:app#1");
  auto known = w.ask({"incident", "show", "inc-1"});
  EXPECT_EQ(known["cause"], "ci_failed");
  EXPECT_EQ(known["attempts"], 1);
}

} // namespace
