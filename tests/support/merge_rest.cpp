#include "tests/support/merge_rest.hpp"

#include "runtime/process/process_table.hpp"

#include <sstream>

namespace ao {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    out.push_back(line);
  return out;
}

/// Files of a repository that an interrupted git leaves behind.
std::vector<std::string> locks_in(const fs::path& repository) {
  std::vector<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator{repository}) {
    auto name = entry.path().filename().string();
    if (entry.path().extension() == ".lock" || name.rfind("tmp_", 0) == 0)
      out.push_back(entry.path().string());
  }
  return out;
}

} // namespace

std::string unsound(const world& w, const fs::path& repository) {
  auto end = w.try_git(
    repository,
    {"fsck", "--full", "--strict", "--no-dangling", "--no-progress"});
  std::string found = end.ok() ? "" : "git fsck fails\n";
  for (const auto& line : lines_of(end.out + end.err))
    // The head of a bare repository may be a branch without a commit.
    if (line.rfind("notice: HEAD points to an unborn branch", 0) != 0)
      found += line + "\n";
  return found;
}

std::vector<std::string> red_commits(const world& w) {
  auto judge = w.root() / "judge";
  w.git(w.root(), {"clone", "--quiet", w.forge().string(), judge.string()});
  std::vector<std::string> red;
  for (const auto& sha : lines_of(w.git(
         judge, {"rev-list", "--reverse", "--first-parent", "origin/main"}))) {
    w.git(judge, {"checkout", "--quiet", "--force", "--detach", sha});
    process_spec spec;
    spec.argv = {"sh", "ci.sh"};
    spec.env = w.variables().to_vector();
    spec.cwd = judge.string();
    auto end = run(spec, world::patience);
    // Before there was one, everything was green.
    if (fs::exists(judge / "ci.sh") && (!end || !end->ok()))
      red.push_back(sha);
  }
  fs::remove_all(judge);
  return red;
}

std::vector<std::string> rest_of_merges(const world& w) {
  std::vector<std::string> against;
  for (const auto& sha : red_commits(w))
    against.push_back("red: " + sha);
  auto repositories
    = {w.forge(), w.home() / "repos/app.git", w.checkout() / ".git"};
  for (const auto& repository : repositories) {
    if (auto found = unsound(w, repository); !found.empty())
      against.push_back(repository.string() + ": " + found);
    for (const auto& file : locks_in(repository))
      against.push_back("left: " + file);
  }
  for (const auto& entry : fs::directory_iterator{w.home() / "ci"})
    for (const auto& one : fs::directory_iterator{entry.path()})
      if (fs::exists(one.path() / "tree"))
        against.push_back("left: " + (one.path() / "tree").string());
  auto all = all_processes();
  for (const auto& p : all.value())
    if (!p.ended() && environ_value(p.pid, "HOME") == w.user().string()
        && environ_value(p.pid, "AO_CHANGE"))
      against.push_back("a check is left: process " + std::to_string(p.pid));
  return against;
}

} // namespace ao
