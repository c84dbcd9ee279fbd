#include "tests/bench/process_cost.hpp"
#include "tests/bench/rows.hpp"
#include "tests/bench/stage.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <unistd.h>

#include <thread>

namespace ao::bench {
namespace {

constexpr int sessions = 50;
/// As long as the pause between two looks for life of each session, so that
/// every one is looked at in it.
constexpr std::chrono::seconds watched{20};

} // namespace

// What is measured is how much happens while time passes, hence the sleep.
std::vector<figure> idle_figures() {
  stage s{{}, "hang: {after: 60s}\n"};
  auto& w = s.in();
  std::vector<std::string> ids;
  for (int i = 0; i < sessions; ++i)
    ids.push_back(s.request(w.add_task("Task " + std::to_string(i))));
  for (const auto& id : ids)
    s.began(id);
  auto hub = hub_pid(w);
  // The first look at each reads what its work has changed, with git.
  std::this_thread::sleep_for(watched);
  await_rest(hub);
  caf::actor_system_config defaults;
  caf::actor_system bare{defaults};
  auto ours = cpu_seconds(hub);
  auto raw = cpu_seconds(::getpid());
  auto took = timed([] { std::this_thread::sleep_for(watched); }) / 1000;
  constexpr double percent = 100;
  return {{"50 idle sessions, against an idle actor system",
           percent * (cpu_seconds(hub) - ours) / took,
           percent * (cpu_seconds(::getpid()) - raw) / took, "% core",
           "ours <= 0.5"}};
}

} // namespace ao::bench
