#include "runtime/home/files.hpp"
#include "runtime/store/store.hpp"
#include "tests/support/agent_scripts.hpp"
#include "tests/support/await_that.hpp"
#include "tests/support/machine_faults.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <chrono>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

TEST(Keep, RemovesWhatIsOldAtTheNextStartAndLosesNoWork) {
  world w;
  machine_faults faults{w.root() / "faults", w.home()};
  for (const auto& [name, value] : faults.variables())
    w.set_variable(name, value);
  w.add_agent("messy", "echo precious > draft\n" + scripts::sleeper);
  w.start();
  w.ask({"spawn", "--prompt", "Write a draft"});
  w.await("agent_started", "session:app-1");
  w.ask({"session", "kill", "app-1"});
  w.await("session_killed", "session:app-1");
  ASSERT_TRUE(fs::exists(w.worktree("app-1") / "draft"));
  w.ask({"stop"});
  // Fifteen days later: cleaned up, and its files go at the look after that.
  faults.set_clock(std::chrono::hours{15 * 24});
  w.start();
  w.await([](const json& e) { return e["kind"] == "session_cleaned"; });
  EXPECT_FALSE(fs::exists(w.worktree("app-1")));
  auto shown = w.ask({"session", "show", "app-1"});
  ASSERT_FALSE(shown["rescue"].empty()) << shown;
  EXPECT_EQ(
    w.git(w.home() / "repos/app.git",
          {"show", shown["rescue"][0]["ref"].get<std::string>() + ":draft"}),
    "precious");
  w.ask({"stop"});
  w.start();
  auto files = w.home() / "sessions/app-1";
  await_that([&] { return !fs::exists(files); });
  // A hundred days later its story is gone, and the record goes on.
  w.ask({"stop"});
  faults.set_clock(std::chrono::hours{115 * 24});
  w.start();
  await_that([&] {
    auto log = read_file((w.home() / "logs/hub.log").string());
    return log && log->find("past_purged events=") != log->npos;
  });
  auto all = w.events();
  ASSERT_FALSE(all.empty());
  EXPECT_GT(all.front()["seq"], 1);
  // A reader who was at the beginning is told that it is gone.
  auto late = w.api().call("GET", "/api/v1/events?after=1");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ec::cursor_too_old);
  auto last = w.last_event();
  w.ask({"stop"});
  w.start();
  EXPECT_GE(w.last_event(), last);
}

TEST(DbBackup, WritesACopyOfALivingHub) {
  world w;
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  auto task = w.add_task("Remember me");
  auto done = w.ask({"db", "backup", "copy.db"});
  auto path = w.checkout() / "copy.db";
  EXPECT_EQ(done["path"], path.string());
  EXPECT_EQ(done["bytes"], fs::file_size(path));
  auto again = w.ao({"db", "backup", "copy.db"});
  EXPECT_EQ(again.status.code, 2) << again.err;
  EXPECT_THAT(again.err, HasSubstr("File exists"));
  auto copy = store::open(path.string());
  ASSERT_TRUE(copy) << to_string(copy.error());
  auto rows = copy->load();
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->tasks.size(), 1u);
  EXPECT_EQ((*rows->tasks.begin()).title, "Remember me");
  EXPECT_EQ((*rows->tasks.begin()).id.text, task);
}

} // namespace
