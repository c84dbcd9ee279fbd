#pragma once

#include <sys/types.h>

#include <random>
#include <string>
#include <vector>

namespace ao {

/// Hosts of their own on this machine: one for a hub and some for nodes, each
/// a network namespace, behind a router that can lose what it is given. The
/// host's own network has no part in it. Namespaces are named after this
/// process and removed with the object; what a process that was killed has
/// left is removed by the next.
///
///   hub 10.77.0.2 --- router --- node 0 10.77.1.2
///                           \--- node 1 10.77.2.2 ...
class network_hosts {
public:
  /// Which way packets are lost.
  enum class way { both, to_hub, to_node };

  /// Why there can be none here (no root, no `ip`, a sandbox); empty = there
  /// can.
  static std::string why_not();

  /// Throws `std::runtime_error`.
  explicit network_hosts(int nodes);
  ~network_hosts();
  network_hosts(const network_hosts&) = delete;
  network_hosts& operator=(const network_hosts&) = delete;

  /// Where the nodes reach the hub, and where it may listen: any port.
  static std::string hub_address();

  /// Words in front of a command, which runs it on the host of the hub or of
  /// a node; its process is the command's.
  std::vector<std::string> on_hub() const;
  std::vector<std::string> on_node(int node) const;

  /// Loses from now on what is sent that way between a node and all others,
  /// in silence; instead of what was cut before.
  void cut(int node, way which) const;

  /// Loses nothing of this node any more.
  void heal(int node) const;

  /// Cuts both ways and heals, a few times, each for up to `most` ms; ends
  /// healed.
  void flap(int node, int times, int most, std::minstd_rand& random) const;

  /// What runs on the host of a node.
  std::vector<pid_t> processes_on(int node) const;

private:
  std::string name_of(const std::string& host) const;
  std::string node_name_of(int node) const;
  void lay_cables() const;
  void remove() const;

  int nodes_;
  /// Several may be in one process.
  int number_;
};

} // namespace ao
