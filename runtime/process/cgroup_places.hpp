#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ao {

/// Where groups of one controller can be made for children of this process
/// (cgroups(7)).
struct cgroup_place {
  enum class version { v1, v2 };
  version how = version::v1;
  /// The directory of the group that this process is in.
  std::string own;
  /// Below this one, new groups are made.
  std::string base;
};

/// The places of the controllers that cap a tree; absent = the kernel has no
/// such controller mounted, or our group is not below its mount.
struct cgroup_places {
  std::optional<cgroup_place> memory;
  std::optional<cgroup_place> processes;
};

/// Reads `/proc/self/mountinfo` and `/proc/self/cgroup`. A v1 group is made
/// below our own. A v2 group that has processes can hand no controller down, so
/// there a group is made beside our own, unless we are in the root.
cgroup_places places_in(std::string_view mountinfo, std::string_view cgroups);

/// Those of this process.
cgroup_places own_cgroup_places();

} // namespace ao
