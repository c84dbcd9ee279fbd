#pragma once

#include "messages/error.hpp"
#include "runtime/process/cgroup_places.hpp"
#include "runtime/process/tree_limits.hpp"

#include <sys/types.h>

#include <functional>
#include <list>
#include <string>
#include <vector>

namespace ao {

/// Holds what it starts, and all that descends from that, to limits: by
/// control groups where this user may make them, else memory by RLIMIT_DATA of
/// each process; found by trying.
///
/// Not RLIMIT_AS: runtimes reserve far more addresses than they use. Not
/// RLIMIT_NPROC: it counts what else runs as the same user.
class limited_tree {
public:
  /// @param name Of the groups, e.g. `ao-<mark>`; unlike any other's.
  limited_tree(tree_limits limits, std::string name,
               cgroup_places places = own_cgroup_places());
  /// Removes its groups, as far as nobody is left in them.
  ~limited_tree();
  limited_tree(const limited_tree&) = delete;
  limited_tree& operator=(const limited_tree&) = delete;

  /// Makes the groups. What this machine does not offer is left out and told
  /// by `missing`.
  void prepare();

  /// Calls `start` while this process is in the groups, so that its child is
  /// never outside of them. Errors: those of `start`; `process_failed`, when
  /// this process can enter a group and not leave it.
  result<pid_t> start(const std::function<result<pid_t>()>& start);

  /// How each limit is held, e.g. `memory by cgroup v1`.
  const std::vector<std::string>& held() const { return held_; }
  /// Limits that are not held, each with the reason.
  const std::vector<std::string>& missing() const { return missing_; }

  /// The kernel's word that it has killed one of the tree for want of memory.
  bool was_short_of_memory() const;

private:
  /// A control file and what it is to hold.
  struct setting {
    std::string file;
    std::string value;
  };
  struct group {
    cgroup_place place;
    std::string directory;
    std::vector<setting> settings;
  };

  group& group_at(const cgroup_place& place);
  result<void> add(group& to, setting what) const;
  result<void> set_up(const group& g) const;
  result<void> enter(const group& g) const;
  void hold_memory();
  void hold_processes();

  tree_limits limits_;
  std::string name_;
  cgroup_places places_;
  std::list<group> groups_;
  /// The directory that counts kills; empty = no group of memory.
  std::string memory_;
  bool by_rlimit_ = false;
  std::vector<std::string> held_;
  std::vector<std::string> missing_;
};

/// How this machine would hold such limits: tries it with a group that is
/// removed at once. For `ao doctor`.
struct limit_offer {
  std::vector<std::string> held;
  std::vector<std::string> missing;
};
limit_offer try_limits(const tree_limits& limits);

} // namespace ao
