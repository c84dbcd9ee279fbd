#include "runtime/node/inventory.hpp"

#include "runtime/shim/peers.hpp"

#include <filesystem>
#include <map>

namespace ao {
namespace {

namespace fs = std::filesystem;

/// The names in `dir`; none when it is not there.
result<std::vector<std::string>> names_in(const std::string& dir) {
  std::vector<std::string> out;
  std::error_code problem;
  if (!fs::exists(dir, problem))
    return out;
  for (fs::directory_iterator i{dir, problem}, end; !problem && i != end;
       i.increment(problem))
    out.push_back(i->path().filename().string());
  if (problem)
    return fail(ec::home_unusable, dir + ": " + problem.message());
  return out;
}

} // namespace

result<std::vector<found_session>> look_around(const home& place) {
  std::map<std::string, found_session> found;
  auto directories = names_in(place.sessions());
  if (!directories)
    return fail(directories.error());
  for (const auto& name : *directories)
    found[name].directory = true;
  auto worktrees = names_in(place.worktrees());
  if (!worktrees)
    return fail(worktrees.error());
  for (const auto& name : *worktrees)
    found[name].worktree = true;
  std::vector<found_session> out;
  for (auto& [name, f] : found) {
    f.session = session_id{name};
    f.shim = shim_peers::somebody_listens(place.shim_socket(name));
    out.push_back(f);
  }
  return out;
}

} // namespace ao
