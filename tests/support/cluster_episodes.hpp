#pragma once

#include "tests/support/network_cluster.hpp"

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// Nodes whose agents work through many tasks while network, nodes and hub
/// fail, one fault after the other, and what may not come of it. Used by
/// `tests/faults/cluster_episodes_test.cpp` and `./dev soak cluster`.
class cluster_episodes {
public:
  struct plan {
    int nodes = 3;
    int tasks = 60;
    /// At a time.
    int agents = 12;
    /// Of everything that is chosen here.
    std::uint32_t seed = 0;
  };

  explicit cluster_episodes(const plan& what);

  /// Starts hub and nodes, and has all tasks dispatched.
  void begin();

  /// So many episodes, each kind as often as the others, in random order.
  void pass(int episodes);

  /// What the episodes were, one line each.
  const std::vector<std::string>& story() const { return story_; }

  /// Heals everything, lets the agents come to their end, and says what is
  /// wrong then; empty = nothing: every task is merged exactly once, no push
  /// was taken under an old epoch, no epoch given and no run started twice, no
  /// two agents have worked on one task at a time, what was given to another is
  /// kept, hub and nodes agree, no process, pane or worktree is left over, and
  /// no agent of a healthy node was started again as its hub was.
  std::vector<std::string> objections();

  /// What has happened, by numbers.
  nlohmann::json figures() const { return figures_; }

  network_cluster& cluster() { return c_; }

private:
  struct kind {
    const char* name;
    void (cluster_episodes::*run)(int node);
  };
  static const std::vector<kind>& kinds();

  void cut(int node, network_hosts::way which);
  void cut_both(int node) { cut(node, network_hosts::way::both); }
  void cut_to_hub(int node) { cut(node, network_hosts::way::to_hub); }
  void cut_to_node(int node) { cut(node, network_hosts::way::to_node); }
  void flap(int node);
  void sleep(int node);
  void kill_node(int node);
  void kill_hub(int node);
  void kill_hub_in_cut(int node);

  /// For so long that it is not noticed, makes suspect, loses, ends the lease.
  void pass_a_fault();
  int random(int below);

  std::map<std::string, nlohmann::json> live_sessions() const;
  void restart_hub(int except);
  bool has_fenced(int node, const std::string& since) const;
  void await_return(std::uint64_t after, int except);

  void look_at_merges();
  void look_at_events();
  void look_at_pushes();
  void look_at_agents();
  void look_at_kept_work();
  std::string story_of(const std::string& task);
  std::vector<std::string> differences();
  void await_agreement();
  void object(const std::string& what) { against_.push_back(what); }

  plan plan_;
  std::minstd_rand random_;
  std::vector<std::string> story_;
  std::vector<std::string> against_;
  nlohmann::json figures_ = nlohmann::json::object();
  /// When a node was woken up, ms since the epoch.
  std::multimap<std::string, std::int64_t> woken_;
  network_cluster c_;
};

} // namespace ao
