#include "tests/support/agent_scripts.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <set>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

/// Tests, works, repairs what it is told about: red CI on the first head.
constexpr const char* agent = R"(
echo "$AO_RUN" >> "$HOME/$AO_SESSION.runs"
if grep -q 'CI failed' "$AO_PROMPT_FILE"; then echo good > verdict
else echo bad > verdict; fi
echo "by $AO_SESSION" > "$AO_SESSION.txt"
git add --all
git commit --quiet --message "Work of $AO_SESSION, run $AO_RUN"
)";

world_options options() {
  world_options o;
  o.project = ", ci: {command: [sh, -c, \"! test -e verdict || grep -q good "
              "verdict\"]}";
  return o;
}

/// When which actor throws.
struct moment {
  /// The event that is waited for.
  const char* kind;
  /// Its name in the directory, for task T1, session app-1, change app#1.
  const char* actor;
};

std::string name_of(const testing::TestParamInfo<moment>& info) {
  std::string out = info.param.actor;
  out += "_at_";
  out += info.param.kind;
  for (auto& c : out)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0)
      c = '_';
  return out;
}

class Exceptions : public testing::TestWithParam<moment> {
protected:
  Exceptions() : w(options()) { w.add_agent("agent", agent); }

  result<http::reply> plant(const std::string& actor) {
    return w.api().call("POST", "/api/v1/faults", json{{"actor", actor}});
  }

  world w;
};

TEST_P(Exceptions, EndInMergedWork) {
  w.start({{"AO_FAULTS", "1"}});
  auto task = w.add_task("First");
  ASSERT_EQ(task, "T1");
  auto spawned = w.ao({"spawn", task, "--no-wait"});
  ASSERT_EQ(spawned.status.code, 0) << spawned.err;
  auto seen
    = w.await([](const json& e) { return e["kind"] == GetParam().kind; });
  ASSERT_FALSE(seen.is_null());
  auto planted = plant(GetParam().actor);
  ASSERT_TRUE(planted) << to_string(planted.error());
  auto restarted = w.await([](const json& e) {
    return e["kind"] == "child_restarted"
      && e["data"]["child"] == GetParam().actor;
  });
  EXPECT_THAT(restarted["data"].value("reason", ""), HasSubstr("planted"));
  w.await("session_cleaned", "session:app-1");
  EXPECT_EQ(w.ask({"task", "show", task})["state"], "merged");
  EXPECT_EQ(w.git(w.forge(), {"show", "main:app-1.txt"}), "by app-1");
  EXPECT_EQ(w.git(w.forge(), {"rev-list", "--count", "main"}), "2");
  // Told once of the red head, so two runs and no more; one epoch.
  EXPECT_EQ(content_of(w.user() / "app-1.runs"), "1\n2\n");
  std::set<std::string> once;
  for (const auto& e : w.events()) {
    EXPECT_LE(e["epoch"], 1);
    auto kind = e["kind"].get<std::string>();
    auto only_once
      = kind == "merged" || kind == "task_closed" || kind == "change_opened";
    EXPECT_TRUE(!only_once || once.insert(kind).second) << kind << " twice";
  }
}

INSTANTIATE_TEST_SUITE_P(
  Actor, Exceptions,
  testing::Values(
    moment{"task_claimed", "journal"}, moment{"task_claimed", "registry"},
    moment{"session_spawned", "store"},
    moment{"session_spawned", "session/app-1"},
    moment{"session_step", "runner/app-1"},
    moment{"session_step", "repository/app"}, moment{"session_spawned", "tmux"},
    moment{"agent_started", "uplink"}, moment{"agent_started", "inventory"},
    moment{"agent_started", "runner/app-1"}, moment{"agent_exited", "task/T1"},
    moment{"agent_exited", "forge/app"}, moment{"ci_started", "ci-runners/app"},
    moment{"ci_started", "ci-watcher/app#1"},
    moment{"ci_failed", "ci-watcher/app#1"},
    moment{"message_queued", "mailbox/app-1"},
    moment{"message_queued", "session/app-1"},
    moment{"ci_failed", "dispatcher"},
    moment{"merge_queued", "merge-queue/app"}, moment{"merge_queued", "store"},
    moment{"merged", "api"}, moment{"ci_failed", "sessions"},
    moment{"ci_started", "node"}, moment{"ci_started", "forges"}),
  name_of);

TEST(Faults, AreNotPlantedInAHubThatWasNotStartedForIt) {
  world w;
  w.add_agent("agent", agent);
  w.start();
  auto planted
    = w.api().call("POST", "/api/v1/faults", json{{"actor", "store"}});
  ASSERT_FALSE(planted);
  EXPECT_EQ(planted.error().code, ec::not_allowed);
  EXPECT_THAT(planted.error().context, HasSubstr("AO_FAULTS"));
}

TEST(Faults, InAChildAgainAndAgainParkItsTaskAlone) {
  world w;
  w.add_agent("patient", scripts::waits_for("go"));
  w.start({{"AO_FAULTS", "1"}});
  w.ask({"spawn", w.add_task("First")});
  w.ask({"spawn", w.add_task("Second")});
  std::uint64_t after = 0;
  json verdict;
  do {
    // Between two incarnations nobody holds the name: asked again then.
    while (
      !w.api().call("POST", "/api/v1/faults", json{{"actor", "session/app-1"}}))
      ::usleep(2'000);
    verdict = w.await(
      [](const json& e) {
        return (e["kind"] == "child_restarted" || e["kind"] == "child_given_up")
          && e["data"]["child"] == "session/app-1";
      },
      after);
    ASSERT_FALSE(verdict.is_null());
    after = verdict["seq"];
  } while (verdict["kind"] == "child_restarted");
  w.await("task_parked", "task:T1");
  auto shown = w.ask({"session", "show", "app-1"});
  EXPECT_EQ(shown["status"], "parked");
  EXPECT_THAT(w.ask({"task", "show", "T1"})["why"].get<std::string>(),
              HasSubstr("given up"));
  // Its sibling has not noticed.
  EXPECT_EQ(w.ask({"session", "show", "app-2"})["status"], "working");
  EXPECT_EQ(w.ask({"session", "show", "app-2"})["run"], 1);
}

} // namespace
