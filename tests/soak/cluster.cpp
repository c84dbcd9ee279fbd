// Nodes on hosts of their own work through tasks while network, nodes and hub
// fail, N episodes; then everything must be merged once and nothing left over.
#include "tests/soak/soak.hpp"
#include "tests/support/cluster_episodes.hpp"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <random>
#include <stdexcept>

namespace {

/// So that there is work all the while.
constexpr int tasks_per_episode = 6;

ao::soak::outcome survive(int n, std::uint32_t seed) {
  if (auto why = ao::network_hosts::why_not(); !why.empty())
    throw std::runtime_error{why};
  ao::cluster_episodes::plan plan;
  plan.tasks = n * tasks_per_episode;
  plan.seed = seed;
  ao::cluster_episodes all{plan};
  all.begin();
  all.pass(n);
  auto against = all.objections();
  auto figures = all.figures();
  figures["n"] = n;
  return {against, figures};
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"A cluster's network fails N times, and no work is lost"};
  int n = 100;
  std::uint32_t seed = std::random_device{}();
  app.add_option("--n", n, "Episodes");
  app.add_option("--seed", seed, "Of a run that is to be repeated");
  CLI11_PARSE(app, argc, argv);
  return ao::soak::run("cluster", [&] { return survive(n, seed); });
}
