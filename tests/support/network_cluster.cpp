#include "tests/support/network_cluster.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <set>

namespace ao {
namespace {

using nlohmann::json;

world_options clustered_on(const network_hosts& net, world_options o,
                           const short_times& times) {
  o.settings += "cluster: {listen: \"" + network_hosts::hub_address() + ":"
    + std::to_string(network_cluster::port) + "\", " + times.cluster + "}\n";
  o.project += ", disconnect: {stopOnClientAfter: " + times.stop_after
    + ", replace: true, reconcile: " + times.reconcile + "}";
  o.within = net.on_hub();
  return o;
}

} // namespace

network_cluster::network_cluster(int nodes, world_options o,
                                 const short_times& times)
    : net_(nodes), w_(clustered_on(net_, std::move(o), times)) {
  for (int i = 0; i < nodes; ++i)
    nodes_.emplace_back(w_, name_of(i), net_.on_node(i));
}

void network_cluster::start_hub() {
  w_.start({}, {"--no-local-node"});
}

void network_cluster::begin(int slots) {
  auto made
    = w_.ao({"cluster", "init", "--host", network_hosts::hub_address()});
  ASSERT_EQ(made.status.code, 0) << made.err;
  start_hub();
  for (int i = 0; i < size(); ++i) {
    node(i).join(port, {}, {"--name", name_of(i)},
                 network_hosts::hub_address());
    node(i).start({"--slots", std::to_string(slots)});
  }
  for (int i = 0; i < size(); ++i) {
    w_.await("node_joined", "node:" + name_of(i));
    await_open(w_, name_of(i));
  }
}

void network_cluster::put_to_sleep(int i) const {
  // Until nobody is found who could still start another. (One that waits for
  // its child to begin stops only then.)
  std::set<pid_t> told;
  for (bool more = true; more;) {
    more = false;
    for (auto pid : net_.processes_on(i))
      if (told.insert(pid).second) {
        more = true;
        ::kill(pid, SIGSTOP);
      }
  }
}

void network_cluster::wake_up(int i) const {
  for (auto pid : net_.processes_on(i))
    ::kill(pid, SIGCONT);
}

pid_t network_cluster::await_agent(const std::string& session,
                                   int epoch) const {
  w_.await([&](const json& e) {
    return e["kind"] == "agent_started" && e["subject"] == "session:" + session
      && e["epoch"].get<int>() >= epoch;
  });
  auto pid = w_.ask({"session", "show", session})["runtime"]["pid"];
  return pid.is_number() ? pid.get<pid_t>() : 0;
}

} // namespace ao
