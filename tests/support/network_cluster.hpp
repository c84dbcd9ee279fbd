#pragma once

#include "tests/support/network_hosts.hpp"
#include "tests/support/node_host.hpp"

#include <deque>
#include <string>
#include <vector>

namespace ao {

/// The times of a cluster whose nodes are lost soon.
struct short_times {
  std::string cluster
    = "heartbeat: 200ms, suspectAfter: 1s, lostAfter: 2500ms, "
      "lease: 4s";
  std::string stop_after = "2500ms";
  /// `disconnect.reconcile`.
  std::string reconcile = "keep_original";
};

/// A hub that runs no agents, and nodes `n1`, `n2`, ..., each on a host of its
/// own of `network_hosts`.
class network_cluster {
public:
  /// Of the hub's host, where nobody else listens.
  static constexpr unsigned port = 7420;

  /// @param o What to begin with; its cluster, project and words in front are
  ///        added.
  explicit network_cluster(int nodes, world_options o = {},
                           const short_times& times = {});

  world& hub() { return w_; }
  node_host& node(int i) { return nodes_.at(static_cast<std::size_t>(i)); }
  int size() const { return static_cast<int>(nodes_.size()); }
  const network_hosts& net() const { return net_; }

  /// `n1` for 0.
  static std::string name_of(int i) { return "n" + std::to_string(i + 1); }

  /// Starts the hub and all nodes, each with so many slots; waits for them.
  void begin(int slots);

  /// Starts the hub, also once more.
  void start_hub();

  /// SIGSTOP and SIGCONT to everything of a node: itself, tmux, agents.
  void put_to_sleep(int i) const;
  void wake_up(int i) const;

  /// Waits until the session has an agent under this grant, or a later one;
  /// its pid.
  pid_t await_agent(const std::string& session, int epoch = 1) const;

private:
  network_hosts net_;
  world w_;
  std::deque<node_host> nodes_;
};

} // namespace ao
