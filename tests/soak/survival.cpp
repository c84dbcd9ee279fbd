// Kills agents, shims, tmux servers and hubs at random moments, N of each, and
// the hub at each step of a spawn; then everything must be merged once and
// nothing left over.
#include "tests/soak/soak.hpp"
#include "tests/support/mortals.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <functional>
#include <iostream>
#include <random>

namespace {

/// The deaths of all kinds in one random order.
std::vector<std::function<void()>> shuffled(ao::mortals& all, int n) {
  std::vector<std::function<void()>> out;
  for (int i = 0; i < n; ++i) {
    out.emplace_back([&all] { all.kill_an_agent(); });
    out.emplace_back([&all] { all.kill_a_shim(); });
    out.emplace_back([&all] { all.kill_the_tmux_server(); });
    out.emplace_back([&all] { all.kill_the_hub(); });
  }
  // A hub at each step, once for ten of the others, and as many grants.
  for (int i = 0; i < std::max(1, n / 10); ++i) {
    for (const auto& step : ao::mortals::steps())
      out.emplace_back([&all, step] { all.kill_the_hub_at(step); });
    out.emplace_back([&all] { all.grant_once_more(); });
  }
  std::shuffle(out.begin(), out.end(), std::mt19937{std::random_device{}()});
  return out;
}

ao::soak::outcome survive(int n, int agents) {
  ao::mortals all{agents};
  all.spawn_all();
  auto deaths = shuffled(all, n);
  std::size_t done = 0;
  for (const auto& death : deaths) {
    death();
    all.pass_a_moment();
    // Requests that were answered have to be there at the end.
    if (++done % 10 == 0) {
      all.add_task("Acknowledged after " + std::to_string(done));
      std::cerr << "\rsoak_survival: " << done << "/" << deaths.size()
                << std::flush;
    }
  }
  std::cerr << std::endl;
  auto against = all.objections();
  return {against, {{"n", n}, {"agents", agents}, {"deaths", deaths.size()}}};
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Everything dies N times, and no work is lost"};
  int n = 200;
  int agents = 4;
  app.add_option("--n", n, "Deaths of each kind");
  app.add_option("--agents", agents, "Agents that work meanwhile");
  CLI11_PARSE(app, argc, argv);
  return ao::soak::run("survival", [&] { return survive(n, agents); });
}
