#pragma once

#include "tests/support/node_host.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <string>
#include <vector>

namespace ao {

/// One hub and one node, which joins as `worker`.
class cluster_fixture : public testing::Test {
protected:
  cluster_fixture() = default;
  /// @param times,stop_after,disconnect As of `clustered`.
  cluster_fixture(const std::string& times, const std::string& stop_after,
                  const std::string& disconnect = {})
      : w(clustered(port, times, stop_after, disconnect)) {}

  /// @param project Of `world_options`, beside what a cluster has there.
  explicit cluster_fixture(const std::string& project)
      : w(with_project(clustered(port), project)) {}

  ~cluster_fixture() override {
    if (HasFailure())
      std::cerr << n.log();
  }

  /// Starts both; agents are this script.
  /// @param hub_words Further ones of `ao start`.
  void begin(const std::string& script,
             const std::vector<std::string>& hub_words = {}) {
    ASSERT_EQ(w.ao({"cluster", "init"}).status.code, 0);
    w.add_agent("busy", script);
    w.start({}, hub_words);
    n.join(port, {}, {"--name", "worker"});
    n.start();
    w.await("node_joined", "node:worker");
    await_open(w, "worker");
  }

  /// The same, and a session of a new task on the node.
  void begin_there(const std::string& script) {
    begin(script);
    spawn(w.add_task("Any"));
  }

  /// Starts a session of the task on the node; its id.
  std::string spawn(const std::string& task) const {
    return w.ask({"spawn", task, "--node", "worker"}).value("id", "");
  }

  std::vector<nlohmann::json> of_kind(const std::string& kind) const {
    std::vector<nlohmann::json> out;
    for (auto& e : w.events())
      if (e["kind"] == kind)
        out.push_back(std::move(e));
    return out;
  }

  unsigned port = free_port_pair();
  world w{clustered(port)};
  node_host n{w, "node"};

private:
  static world_options with_project(world_options options,
                                    const std::string& more) {
    options.project += more;
    return options;
  }
};

} // namespace ao
