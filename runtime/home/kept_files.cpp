#include "runtime/home/kept_files.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <system_error>

namespace ao {
namespace {

namespace fs = std::filesystem;

wall_time at_of(const struct stat& info) {
  return wall_time{
    milliseconds{static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1000
                 + info.st_mtim.tv_nsec / 1'000'000}};
}

/// Adds one file to `to`, and its time when that is later.
void add_file(kept_log& to, const fs::path& file) {
  struct stat info {};
  if (::lstat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode))
    return;
  to.bytes += static_cast<std::uint64_t>(info.st_size);
  to.at = std::max(to.at, at_of(info));
}

/// Calls `f` with each entry of a directory, while there are some.
template <class F>
void each_entry(const fs::path& dir, F f) {
  std::error_code problem;
  for (fs::directory_iterator i{dir, problem}, end; !problem && i != end;
       i.increment(problem))
    f(i->path());
}

kept_log log_of_run(const fs::path& dir) {
  kept_log out;
  out.path = dir.string();
  std::error_code problem;
  for (fs::recursive_directory_iterator i{dir, problem}, end;
       !problem && i != end; i.increment(problem))
    add_file(out, i->path());
  return out;
}

} // namespace

std::vector<kept_log> find_logs(const home& place,
                                const std::set<std::string>& busy) {
  std::vector<kept_log> out;
  each_entry(place.logs(), [&](const fs::path& file) {
    kept_log one;
    one.path = file.string();
    one.in_use = one.path == place.hub_log();
    add_file(one, file);
    out.push_back(std::move(one));
  });
  each_entry(place.ci(), [&](const fs::path& change) {
    each_entry(change, [&](const fs::path& run) {
      out.push_back(log_of_run(run));
      out.back().in_use = busy.count(run.string()) > 0;
    });
  });
  return out;
}

result<std::uint64_t> remove_kept(const home& place,
                                  const std::vector<std::string>& paths) {
  std::uint64_t gone = 0;
  std::optional<error> first;
  for (const auto& path : paths) {
    std::error_code problem;
    auto relative = fs::path{path}.lexically_relative(place.root());
    if (relative.empty() || *relative.begin() == ".." || relative == ".")
      return fail(ec::internal, path + " is not below " + place.root());
    gone += fs::remove_all(path, problem) > 0 && !problem ? 1 : 0;
    if (problem && !first)
      first = error{ec::home_unusable,
                    path + ": cannot be removed: " + problem.message()};
    if (*relative.begin() == "ci")
      fs::remove(fs::path{path}.parent_path(), problem);
  }
  if (first)
    return fail(std::move(*first));
  return gone;
}

} // namespace ao
