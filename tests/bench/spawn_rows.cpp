#include "tests/bench/rows.hpp"
#include "tests/bench/stage.hpp"

#include <algorithm>
#include <thread>

namespace ao::bench {
namespace {

constexpr int rounds = 15;

/// What one fetch without news costs.
double fetch_cost(const world& w) {
  std::vector<double> costs;
  for (int i = 0; i < rounds; ++i)
    costs.push_back(timed([&] {
      w.git(w.home() / "repos/app.git", {"fetch", "--quiet", "origin"});
    }));
  return median(costs);
}

} // namespace

std::vector<figure> spawn_figures() {
  stage s;
  auto& w = s.in();
  std::vector<double> ours;
  std::vector<double> raw;
  for (int i = 0; i < rounds; ++i) {
    auto task = w.add_task("Task " + std::to_string(i));
    auto from = wall_seconds();
    auto session = s.request(task);
    ours.push_back((s.began(session) - from) * 1000);
    raw.push_back(s.raw_spawn("raw-" + std::to_string(i)));
  }
  auto fetch = fetch_cost(w);
  auto whole = median(ours);
  return {{"request -> first instruction", whole, median(raw), "ms", ""},
          {"  without the fetch", whole - fetch, median(raw), "ms", "<= 1.5"},
          {"  the fetch alone", fetch, 0, "ms", ""}};
}

std::vector<figure> concurrent_spawn_figures() {
  std::vector<figure> out;
  for (int width : {8, 15}) {
    stage s;
    auto& w = s.in();
    std::vector<std::string> tasks;
    for (int i = 0; i < width; ++i)
      tasks.push_back(w.add_task("Task " + std::to_string(i)));
    auto from = wall_seconds();
    std::vector<std::string> sessions(tasks.size());
    std::vector<std::thread> clients;
    for (std::size_t i = 0; i < tasks.size(); ++i)
      clients.emplace_back([&, i] { sessions[i] = s.request(tasks[i]); });
    for (auto& client : clients)
      client.join();
    double last = 0;
    for (const auto& session : sessions)
      last = std::max(last, s.began(session));
    double raw = 0;
    for (int i = 0; i < width; ++i)
      raw += s.raw_spawn("raw-" + std::to_string(i));
    out.push_back({std::to_string(width) + " spawns against the serial loop",
                   (last - from) * 1000, raw, "ms", "<= 1.0"});
  }
  return out;
}

} // namespace ao::bench
