#include "runtime/process/cgroup_places.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

namespace ao {
namespace {

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> out;
  std::istringstream in{std::string{text}};
  for (std::string part; std::getline(in, part, by);)
    out.push_back(part);
  return out;
}

bool names(const std::string& list, std::string_view one) {
  auto all = split(list, ',');
  return std::find(all.begin(), all.end(), one) != all.end();
}

/// One mount of a hierarchy, see proc(5).
struct hierarchy {
  bool unified = false;
  /// The group that the mount shows as its root.
  std::string root;
  std::string point;
  /// Controllers of v1, among other options.
  std::string options;
};

std::vector<hierarchy> hierarchies_in(std::string_view mountinfo) {
  std::vector<hierarchy> out;
  for (const auto& line : split(mountinfo, '\n')) {
    auto dash = line.find(" - ");
    if (dash == std::string::npos)
      continue;
    auto front = split(line.substr(0, dash), ' ');
    auto back = split(line.substr(dash + 3), ' ');
    if (front.size() < 5 || back.size() < 3)
      continue;
    if (back[0] == "cgroup" || back[0] == "cgroup2")
      out.push_back({back[0] == "cgroup2", front[3], front[4], back[2]});
  }
  return out;
}

/// The group of a controller in lines of `id:controllers:path`; v2 has none
/// named.
std::optional<std::string> group_of(std::string_view cgroups,
                                    std::string_view controller) {
  for (const auto& line : split(cgroups, '\n')) {
    auto first = line.find(':');
    auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos)
      continue;
    auto list = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? list.empty() : names(list, controller))
      return line.substr(second + 1);
  }
  return std::nullopt;
}

/// Where the mount shows the group; nothing for one outside of it.
std::optional<std::string> directory_of(const hierarchy& h,
                                        const std::string& group) {
  auto root = h.root == "/" ? std::string{} : h.root;
  if (group.compare(0, root.size(), root) != 0)
    return std::nullopt;
  auto rest = group.substr(root.size());
  if (!rest.empty() && rest[0] != '/')
    return std::nullopt;
  return rest == "/" ? h.point : h.point + rest;
}

std::optional<cgroup_place> place_of(const std::vector<hierarchy>& all,
                                     std::string_view cgroups,
                                     std::string_view controller) {
  // A controller is in one hierarchy only, and v1 has the first choice of it.
  for (const auto& h : all)
    if (!h.unified && names(h.options, controller))
      if (auto group = group_of(cgroups, controller))
        if (auto own = directory_of(h, *group))
          return cgroup_place{cgroup_place::version::v1, *own, *own};
  for (const auto& h : all)
    if (h.unified)
      if (auto group = group_of(cgroups, ""))
        if (auto own = directory_of(h, *group))
          return cgroup_place{
            cgroup_place::version::v2, *own,
            *own == h.point ? *own : own->substr(0, own->rfind('/'))};
  return std::nullopt;
}

std::string text_of(const char* file) {
  std::ifstream in{file};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

} // namespace

cgroup_places places_in(std::string_view mountinfo, std::string_view cgroups) {
  auto all = hierarchies_in(mountinfo);
  return {place_of(all, cgroups, "memory"), place_of(all, cgroups, "pids")};
}

cgroup_places own_cgroup_places() {
  return places_in(text_of("/proc/self/mountinfo"),
                   text_of("/proc/self/cgroup"));
}

} // namespace ao
