#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <algorithm>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;

namespace {

world_options red() {
  world_options o;
  o.project = ", ci: {command: [sh, -c, \"exit 3\"]}";
  return o;
}

TEST(SelfHeal, OfAnAgentThatNeverMendsItEndsWithAPerson) {
  world w{red()};
  w.add_agent("stubborn", R"(
echo "$AO_RUN" >> "$HOME/runs"
echo "$AO_RUN" > work
git add --all
git commit --quiet --message "Run $AO_RUN"
)");
  w.start();
  w.ask({"spawn", w.add_task("First")});
  w.await("task_parked", "task:T1");
  auto task = w.ask({"task", "show", "T1"});
  EXPECT_EQ(task["state"], "parked");
  EXPECT_THAT(task["why"].get<std::string>(), HasSubstr("5 attempts"));
  w.await("session_parked", "session:app-1");
  EXPECT_EQ(w.ask({"session", "show", "app-1"})["status"], "parked");
  // The first run, and one for each time that it was told.
  auto runs = content_of(w.user() / "runs");
  EXPECT_EQ(std::count(runs.begin(), runs.end(), '\n'), 6) << runs;
}

} // namespace
