// Deaths that say something: of one class one after the other, and by the
// kernel's hand.

#include "runtime/home/files.hpp"
#include "runtime/process/limited_tree.hpp"
#include "tests/support/agent_scripts.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;

namespace {

/// Agents may die often here, and soon begin again.
world_options of_patience() {
  world_options o;
  o.settings = "limits: {sessions: 64, spawnsPerMinute: 0, minFreeMemory: "
               "1MiB, minFreeDisk: 1MiB}\n"
               "restart: {intensity: 50, delay: 50ms, maxDelay: 200ms}\n"
               "breaker: {halfOpen: 300ms, probation: 300ms}\n";
  return o;
}

std::size_t count(const world& w, const std::string& kind) {
  std::size_t out = 0;
  for (const auto& e : w.events())
    out += e["kind"] == kind;
  return out;
}

} // namespace

TEST(DeathsOfOneClass, HoldTheOthersUntilOneLives) {
  world w{of_patience()};
  w.add_agent("broken",
              "[ -e \"$HOME/repaired\" ] || exit 3\n" + scripts::diligent);
  w.start();
  std::vector<std::string> tasks;
  for (int i = 1; i <= 5; ++i)
    tasks.push_back(w.add_task("Task " + std::to_string(i)));
  for (int i = 0; i < 3; ++i)
    w.ask({"spawn", tasks[static_cast<std::size_t>(i)]});
  w.await("breaker_opened", "hub");
  // Those that come now wait, and say for what.
  w.ask({"spawn", tasks[3]});
  w.await("session_queued", "session:app-4");
  EXPECT_THAT(w.ask({"session", "show", "app-4"}).dump(), HasSubstr("broken"));
  EXPECT_THAT(w.ao({"why", "app-4"}).out, HasSubstr("crash"));
  // One at a time is tried meanwhile, and dies.
  w.await("breaker_half_open", "hub");
  w.touch("repaired");
  w.await("breaker_closed", "hub");
  w.ask({"spawn", tasks[4]});
  for (const auto& t : tasks) {
    w.await("task_closed", "task:" + t);
    EXPECT_EQ(w.ask({"task", "show", t})["state"], "merged");
  }
  EXPECT_GE(count(w, "breaker_opened"), 1u);
}

TEST(Memory, ThatRunsOutIsCalledByItsName) {
  tree_limits limits{64u << 20, {}};
  if (auto offer = try_limits(limits);
      offer.held.empty() || offer.held[0].find("RLIMIT") != std::string::npos)
    GTEST_SKIP() << (offer.held.empty() ? "no limits" : offer.held[0]);
  world w{of_patience()};
  w.add_agent("greedy", R"(
if [ "$AO_RUN" = 1 ]; then
  head -c 300000000 /dev/zero | tail -n 1 > /dev/null || exit 7
fi
echo "$AO_RESUME_REASON" > "$HOME/reason"
)" + scripts::diligent,
              ", limits: {memory: 64MiB, processes: 100}");
  w.start();
  auto t = w.add_task("First");
  w.ask({"spawn", t});
  w.await("task_closed", "task:" + t);
  EXPECT_EQ(content_of(w.user() / "reason"), "oom\n");
  auto end = w.await("agent_exited", "session:app-1");
  EXPECT_EQ(end["data"]["class"], "oom") << end;
  EXPECT_THAT(w.ao({"why", "app-1"}).out, HasSubstr("the limit is 64MiB"));
  EXPECT_EQ(w.ask({"session", "show", "app-1"})["restarts"], 1);
}

TEST(Stranger, BelowASessionIsToldOf) {
  auto options = of_patience();
  options.settings += "hang: {after: 2s}\n";
  world w{options};
  auto other = w.root() / "agents/codex";
  ASSERT_TRUE(write_file_durably(
    other.string(), "#!/bin/sh\nwhile sleep 1; do :; done\n", 0755));
  w.add_agent("gemini",
              other.string() + " &\n"
                + "while [ ! -e \"$HOME/go\" ]; do echo; sleep 0.1; done\n"
                + scripts::diligent,
              ", adapter: gemini");
  w.start();
  auto t = w.add_task("First");
  w.ask({"spawn", t});
  auto told = w.await("foreign_found", "session:app-1");
  EXPECT_THAT(told["data"]["parts"].get<std::string>(),
              HasSubstr("codex runs as process"));
  EXPECT_THAT(w.ao({"why", "app-1"}).out, HasSubstr("nobody supervises it"));
  w.touch("go");
  w.await("task_closed", "task:" + t);
  EXPECT_EQ(count(w, "foreign_found"), 1u);
}
