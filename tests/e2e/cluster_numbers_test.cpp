#include "tests/support/agent_scripts.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <gmock/gmock.h>

#include <fstream>

using namespace ao;
using nlohmann::json;

namespace {

using ClusterNumbers = cluster_fixture;

/// It has worked for years.
TEST_F(ClusterNumbers, ANodeTellsAHundredThousandNumbersInParts) {
  ASSERT_EQ(w.ao({"cluster", "init"}).status.code, 0);
  w.add_agent("busy", scripts::sleeper);
  w.start();
  n.join(port, {}, {"--name", "worker"});
  json epochs = json::object();
  for (int k = 1; k <= 100'000; ++k)
    epochs["T" + std::to_string(k)] = 1 + k % 3;
  std::ofstream{n.home() / "seen.json"}
    << json{{"epochs", epochs}, {"sessions", {{"app", 90'000}}}};
  n.start();
  w.await("node_joined", "node:worker");
  EXPECT_FALSE(of_kind("numbers_raised").empty());
  auto id = w.add_task("Write a file");
  EXPECT_EQ(id, "T100001");
  EXPECT_EQ(spawn(id), "app-90001");
  // All of it is known from now on.
  auto raised = of_kind("numbers_raised").size();
  n.stop();
  n.start();
  w.await("node_returned", "node:worker");
  EXPECT_EQ(of_kind("numbers_raised").size(), raised);
}

} // namespace
