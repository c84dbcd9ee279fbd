#include "tests/support/agent_scripts.hpp"
#include "tests/support/await_that.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

namespace {

/// How many children of `parent` have ended and are not reaped.
std::size_t zombies_of(pid_t parent) {
  std::size_t out = 0;
  std::error_code gone;
  for (const auto& p : std::filesystem::directory_iterator{"/proc", gone}) {
    std::ifstream in{p.path() / "stat"};
    std::string line;
    std::getline(in, line);
    // After the name, which may have any character.
    std::istringstream rest{line.substr(line.rfind(')') + 1)};
    char state = 0;
    pid_t of = 0;
    if (rest >> state >> of && state == 'Z' && of == parent)
      ++out;
  }
  return out;
}

TEST(Checks, LeaveNoZombies) {
  world_options o;
  o.project = ", ci: {command: [\"true\"]}";
  world w{o};
  w.add_agent("diligent", scripts::diligent);
  auto hub = w.start();
  for (const auto* title : {"First", "Second"}) {
    auto task = w.add_task(title);
    w.ask({"spawn", task});
    w.await("task_closed", "task:" + task);
  }
  await_that([&] { return zombies_of(hub) == 0; });
}

TEST(Logs, ShowWhatAgentsAndChecksHavePrinted) {
  world_options o;
  o.project = ", ci: {command: [sh, -c, \"echo checked by hand\"]}";
  world w{o};
  w.add_agent("talker", "echo \"run $AO_RUN begins\"\n" + scripts::patient);
  w.start();
  w.ask({"spawn", "--prompt", "Talk"});
  // While it runs its terminal is read.
  auto live = w.ao({"logs", "app-1"});
  EXPECT_EQ(live.status.code, 0) << live.err;
  EXPECT_THAT(live.out, HasSubstr("run 1"));
  w.touch("go");
  w.await("merged", "change:app#1");
  auto ended = w.ao({"logs", "app-1"});
  EXPECT_THAT(ended.out, HasSubstr("run 1 begins"));
  // Not the empty rest of its screen.
  EXPECT_THAT(ended.out, Not(HasSubstr("\n\n")));
  auto checks = w.ask({"logs", "app#1"});
  ASSERT_FALSE(checks["data"].empty());
  EXPECT_EQ(checks["data"][0]["text"], "checked by hand\n");
  // A check that puts a link in the place of its log shows nothing of it.
  std::ofstream{w.root() / "private"} << "private\n";
  for (const auto& sha :
       std::filesystem::directory_iterator{w.home() / "ci/app#1"}) {
    std::filesystem::remove(sha.path() / "output.log");
    std::filesystem::create_symlink(w.root() / "private",
                                    sha.path() / "output.log");
  }
  EXPECT_EQ(w.ask({"logs", "app#1"})["data"], json::array());
  EXPECT_EQ(w.ao({"logs", "app-9"}).status.code, 3);
  EXPECT_EQ(w.ao({"logs", "app#9"}).status.code, 3);
}

} // namespace
