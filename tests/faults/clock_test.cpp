// Somebody sets the wall clock of the hub's host by days while everything
// works: nothing expires, starts, parks or hangs because of it.

#include "tests/support/agent_scripts.hpp"
#include "tests/support/machine_faults.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

using namespace ao;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::hours ten_days{240};

std::string name_of(std::chrono::hours step) {
  return step.count() > 0 ? "Forward" : "Back";
}

/// Waits for `$HOME/go-<session>-<run>`; its first run then fails.
const std::string patient = scripts::waits_for("go-$AO_SESSION-$AO_RUN")
  + "[ ! -e \"$HOME/fail-$AO_SESSION-$AO_RUN\" ] || exit 3\n"
  + scripts::diligent;

class Clock : public testing::TestWithParam<std::chrono::hours> {
protected:
  explicit Clock(const std::string& delay = "3s")
      : w(options_with(delay)), faults(w.root() / "faults", w.home()) {
    for (const auto& [name, value] : faults.variables())
      w.set_variable(name, value);
    w.add_agent("patient", patient);
    w.start();
  }

  static world_options options_with(const std::string& delay) {
    world_options o;
    o.settings = "limits: {sessions: 64, spawnsPerMinute: 0, "
                 "minFreeMemory: 1MiB, minFreeDisk: 1MiB}\n"
                 "restart: {delay: "
      + delay + ", maxDelay: 2h, jitter: 0}\n";
    return o;
  }

  void set_clock() { faults.set_clock(GetParam()); }

  void tell(const std::string& word, const std::string& session, int run) {
    fs::create_directory(w.user()
                         / (word + "-" + session + "-" + std::to_string(run)));
  }

  json show(const std::string& session) {
    return w.ask({"session", "show", session});
  }

  void fail_first_run(const std::string& session) {
    tell("fail", session, 1);
    tell("go", session, 1);
    w.await("agent_exited", "session:" + session);
  }

  std::string post(const std::string& session, const char* text) {
    auto answer
      = w.api().call("POST", "/api/v1/sessions/" + session + "/messages",
                     {{"text", text}, {"deadlineMs", 3'600'000}});
    EXPECT_TRUE(answer) << to_string(answer.error());
    return answer ? answer->body["id"].get<std::string>() : "";
  }

  std::string state_of(const std::string& session, const std::string& id) {
    auto all = w.ask({"messages", session});
    for (const auto& m : all["data"])
      if (m["id"] == id)
        return m["state"];
    return "gone";
  }

  world w;
  machine_faults faults;
};

TEST_P(Clock, SetWhileAgentsWorkAndRestartIsNoticedByNobody) {
  w.ask({"spawn", w.add_task("First")});
  w.ask({"spawn", w.add_task("Second")});
  fail_first_run("app-2");
  set_clock();
  EXPECT_EQ(show("app-1")["status"], "working");
  w.await([](const json& e) {
    return e["kind"] == "agent_started" && e["subject"] == "session:app-2"
      && e["data"]["run"] == 2;
  });
  tell("go", "app-1", 1);
  tell("go", "app-2", 2);
  w.await("task_closed", "task:T1");
  w.await("task_closed", "task:T2");
  EXPECT_EQ(show("app-1")["run"], 1);
  EXPECT_EQ(show("app-2")["run"], 2);
  EXPECT_EQ(show("app-2")["restarts"], 1);
}

TEST_P(Clock, SetMakesNoMessageExpire) {
  auto need = w.add_task("First");
  w.ask({"spawn", w.add_task("Second", "", {"--needs", need})});
  auto early = post("app-1", "before the clock was set");
  set_clock();
  // The mailbox looks at everything that waits at each new message.
  auto late = post("app-1", "after it");
  EXPECT_EQ(state_of("app-1", early), "queued");
  EXPECT_EQ(state_of("app-1", late), "queued");
  // Nor does a new hub find them expired or waiting for longer.
  w.kill_hub();
  w.start();
  auto third = post("app-1", "after a new start");
  EXPECT_EQ(state_of("app-1", early), "queued");
  EXPECT_EQ(state_of("app-1", third), "queued");
  auto all = w.ask({"messages", "app-1"});
  EXPECT_EQ(all["data"].size(), 3u);
  for (const auto& m : all["data"]) {
    auto made = parse_time(m["createdAt"].get<std::string>());
    auto deadline = parse_time(m["deadline"].get<std::string>());
    ASSERT_TRUE(made && deadline);
    // Less what lay between asking and writing.
    EXPECT_LE(*deadline - *made, milliseconds{3'600'000});
    EXPECT_GT(*deadline - *made, milliseconds{3'000'000});
    EXPECT_LE(*deadline - wall_now() - GetParam(), milliseconds{3'600'000});
  }
}

class ClockInALongPause : public Clock {
protected:
  ClockInALongPause() : Clock("1h") {}
};

TEST_P(ClockInALongPause, SetStartsNothingBeforeItsTime) {
  w.ask({"spawn", w.add_task("First")});
  fail_first_run("app-1");
  set_clock();
  // Another life, which has everybody look at what is due.
  w.ask({"spawn", w.add_task("Second")});
  tell("go", "app-2", 1);
  w.await("task_closed", "task:T2");
  auto first = show("app-1");
  EXPECT_EQ(first["runtime"]["state"], "exited") << first;
  EXPECT_EQ(first["run"], 1);
  // It is not stuck either: told so, it goes on.
  EXPECT_EQ(w.ao({"session", "restore", "app-1"}).status.code, 0);
  tell("go", "app-1", 2);
  w.await("task_closed", "task:T1");
}

INSTANTIATE_TEST_SUITE_P(Days, Clock, testing::Values(ten_days, -ten_days),
                         [](const auto& p) { return name_of(p.param); });
INSTANTIATE_TEST_SUITE_P(Days, ClockInALongPause,
                         testing::Values(ten_days, -ten_days),
                         [](const auto& p) { return name_of(p.param); });

} // namespace
