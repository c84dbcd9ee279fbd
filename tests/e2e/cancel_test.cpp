#include "tests/support/world.hpp"

#include <gmock/gmock.h>

using namespace ao;
using nlohmann::json;
using testing::Contains;
using testing::Not;
namespace fs = std::filesystem;

namespace {

/// Works until it is ended.
constexpr const char* endless
  = "echo x > work\ntouch \"$HOME/begun\"\nexec sleep 600\n";

class Cancel : public testing::Test {
protected:
  Cancel() {
    w.add_agent("endless", endless);
    w.start();
  }

  world w;
};

TEST_F(Cancel, EndsTheAgentAndSavesItsWork) {
  w.ask({"spawn", w.add_task("First")});
  w.await_file("begun");
  auto pid = w.ask({"session", "show", "app-1"})["runtime"]["pid"].get<pid_t>();
  EXPECT_EQ(w.ask({"task", "cancel", "T1"})["state"], "cancelled");
  expect_ends(pid);
  w.await("rescue_saved", "session:app-1");
  auto shown = w.ask({"session", "show", "app-1"});
  EXPECT_EQ(shown["status"], "killed");
  EXPECT_EQ(shown["rescue"].size(), 1u);
  EXPECT_THAT(w.panes(), Not(Contains("app-1")));
}

TEST_F(Cancel, EndsASessionThatWasParked) {
  w.ask({"spawn", w.add_task("First")});
  w.ask({"session", "kill", "app-1"});
  w.await("task_parked", "task:T1");
  w.ask({"task", "retry", "T1"});
  w.ask({"spawn", "T1"});
  auto pid = w.ask({"session", "show", "app-2"})["runtime"]["pid"].get<pid_t>();
  w.ask({"task", "cancel", "T1"});
  expect_ends(pid);
}

TEST_F(Cancel, OfAQueuedOneStartsNothing) {
  auto first = w.add_task("First");
  w.ask({"spawn", w.add_task("Second", "", {"--needs", first})});
  w.ask({"task", "cancel", "T2"});
  w.await("session_killed", "session:app-1");
  EXPECT_EQ(w.ask({"session", "show", "app-1"})["status"], "killed");
}

} // namespace
