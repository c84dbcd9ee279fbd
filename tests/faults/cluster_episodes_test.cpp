// Three nodes work through sixty tasks while network, nodes and hub fail in
// ten ways; `./dev soak cluster` does the same a hundred times.

#include "tests/support/cluster_episodes.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <random>

using namespace ao;

namespace {

TEST(ClusterEpisodes, MergeEveryTaskOnceAndLoseNothing) {
  if (auto why = network_hosts::why_not(); !why.empty())
    GTEST_SKIP() << why;
  cluster_episodes::plan plan;
  plan.seed = std::random_device{}();
  std::cerr << "seed " << plan.seed << std::endl;
  cluster_episodes all{plan};
  all.begin();
  all.pass(10);
  for (const auto& one : all.objections())
    ADD_FAILURE() << one;
  std::cerr << all.figures().dump() << std::endl;
}

} // namespace
