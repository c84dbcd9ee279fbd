#pragma once

#include "messages/time.hpp"
#include "runtime/git/git.hpp"
#include "runtime/git/tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace ao {

namespace fs = std::filesystem;

inline void put(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream{path, std::ios::binary} << text;
}

inline std::string get(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// Names, modes and contents of everything below `dir`.
inline std::string fingerprint(const fs::path& dir) {
  std::vector<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator{dir}) {
    std::ostringstream line;
    line << entry.path() << ' '
         << static_cast<int>(entry.symlink_status().permissions()) << ' ';
    if (entry.is_symlink())
      line << fs::read_symlink(entry.path());
    else if (entry.is_regular_file())
      line << entry.last_write_time().time_since_epoch().count() << ' '
           << get(entry.path());
    lines.push_back(line.str());
  }
  std::sort(lines.begin(), lines.end());
  std::string all;
  for (const auto& line : lines)
    all += line + "\n";
  return all;
}

/// A private directory with a user's home and checkout in it.
class git_fixture : public ::testing::Test {
protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "ao-git-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root = fs::canonical(name);
    fs::create_directories(root / "home");
    ::setenv("HOME", (root / "home").c_str(), 1);
    ::unsetenv("XDG_CONFIG_HOME");
    // What a hub started from within a hook would inherit.
    ::setenv("GIT_DIR", "/nowhere", 1);
    ::setenv("GIT_WORK_TREE", "/nowhere", 1);
    checkout = root / "checkout";
    fs::create_directories(checkout);
    git({"init", "--quiet", "--initial-branch=main", "."}, checkout);
  }

  void TearDown() override { EXPECT_TRUE(remove_tree(root)); }

  /// What the user or an agent does: their git, which runs hooks.
  std::string git(std::vector<std::string> args, const fs::path& dir,
                  std::vector<std::pair<std::string, std::string>> env = {}) {
    auto end = try_git(std::move(args), dir, std::move(env));
    EXPECT_EQ(end.code, 0) << end.err;
    if (!end.out.empty() && end.out.back() == '\n')
      end.out.pop_back();
    return end.out;
  }

  git_end try_git(std::vector<std::string> args, const fs::path& dir,
                  std::vector<std::pair<std::string, std::string>> env = {}) {
    // `git_runner` switches hooks off by -c; a later -c wins over it.
    git_call call{dir, {}};
    call.args = {"-c", "core.hooksPath=" + theirs_hooks(dir)};
    call.args.insert(call.args.end(), args.begin(), args.end());
    call.scope = git_scope::users;
    call.env = {{"GIT_AUTHOR_NAME", "Ann"},
                {"GIT_AUTHOR_EMAIL", "ann@example.org"},
                {"GIT_COMMITTER_NAME", "Ann"},
                {"GIT_COMMITTER_EMAIL", "ann@example.org"}};
    call.env.insert(call.env.end(), env.begin(), env.end());
    auto end = runner.run(call);
    EXPECT_TRUE(end) << (end ? "" : to_string(end.error()));
    return end ? *end : git_end{-1, {}, {}};
  }

  std::string theirs_hooks(const fs::path& dir) {
    auto worktree
      = runner.run({dir, {"config", "--worktree", "core.hooksPath"}});
    auto path = worktree && worktree->code == 0 ? worktree->out : "";
    return path.empty() ? (dir / ".git/hooks").string()
                        : path.substr(0, path.size() - 1);
  }

  /// Writes files, commits all of them; the commit.
  std::string
  commit(const fs::path& dir, const std::string& message,
         const std::vector<std::pair<std::string, std::string>>& files = {}) {
    for (const auto& [name, text] : files)
      put(dir / name, text);
    git({"add", "--all"}, dir);
    git({"commit", "--quiet", "--allow-empty", "-m", message}, dir);
    return git({"rev-parse", "HEAD"}, dir);
  }

  git_runner runner;
  fs::path root;
  fs::path checkout;
};

} // namespace ao
