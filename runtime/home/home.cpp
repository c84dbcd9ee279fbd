#include "runtime/home/home.hpp"

#include "runtime/home/files.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ao {
namespace {

std::string environment(const char* name) {
  const auto* value = std::getenv(name);
  return value ? value : "";
}

auto unusable(const std::string& path, const std::string& why) {
  return fail(ec::home_unusable, path + ": " + why);
}

std::string user_directory() {
  if (auto home = environment("HOME"); !home.empty())
    return home;
  if (const auto* row = ::getpwuid(::geteuid()); row && row->pw_dir)
    return row->pw_dir;
  return "/";
}

/// The target of a link, empty when `path` is none.
std::string link_target(const std::string& path) {
  char target[PATH_MAX];
  auto n = ::readlink(path.c_str(), target, sizeof target);
  return n <= 0 ? "" : std::string(target, static_cast<std::size_t>(n));
}

/// `ao-<8 hex>`, the same for the same home.
std::string short_name(const std::string& root) {
  // FNV-1a; whose directory it is, is checked when it is claimed.
  std::uint32_t digest = 0x811c9dc5;
  for (char c : root)
    digest = (digest ^ static_cast<unsigned char>(c)) * 0x01000193;
  char name[16];
  std::snprintf(name, sizeof name, "ao-%08x", digest);
  return name;
}

std::string short_run_dir(const std::string& root) {
  auto runtime = environment("XDG_RUNTIME_DIR");
  struct stat there {};
  if (!runtime.empty() && runtime[0] == '/'
      && ::stat(runtime.c_str(), &there) == 0 && S_ISDIR(there.st_mode)
      && ::access(runtime.c_str(), W_OK | X_OK) == 0)
    return runtime + "/" + short_name(root);
  auto temporary = environment("TMPDIR");
  if (temporary.empty() || temporary[0] != '/' || temporary.size() > 40)
    temporary = "/tmp";
  return temporary + "/" + short_name(root);
}

/// Makes `path` a directory that is only ours, or says why it is not.
result<void> claim_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return unusable(
      path, std::string{"cannot make the directory: "} + std::strerror(errno));
  return check_private_directory(path);
}

/// Makes `run`, or the link `run` and the short directory that it names.
result<std::string> make_run_dir(const std::string& root) {
  auto plain = root + "/run";
  if (plain.size() <= longest_run_dir) {
    if (auto made = claim_directory(plain); !made)
      return fail(made.error());
    return plain;
  }
  // A living hub may use what an older environment chose: keep it if it is
  // still good, or can be made again under the same name (after a reboot).
  auto target = link_target(plain);
  if (!target.empty() && target.size() <= longest_run_dir
      && claim_directory(target))
    return target;
  target = short_run_dir(root);
  if (auto made = claim_directory(target); !made)
    return fail(made.error());
  auto fresh = plain + ".new";
  ::unlink(fresh.c_str());
  if (::symlink(target.c_str(), fresh.c_str()) != 0
      || ::rename(fresh.c_str(), plain.c_str()) != 0)
    return unusable(plain,
                    "cannot make it a link to " + target + ": "
                      + std::strerror(errno));
  return target;
}

} // namespace

home::home(std::string root, std::string run_dir)
    : root_(std::move(root)), run_dir_(std::move(run_dir)) {}

std::string home::tmux_socket(unsigned k) const {
  return run_dir_ + "/tmux-" + std::to_string(k) + ".sock";
}

std::string home::shim_socket(const std::string& session) const {
  return run_dir_ + "/s/" + session;
}

std::string home_path_from_environment() {
  auto path = environment("AO_HOME");
  if (path.empty())
    return user_directory() + "/.ao";
  if (path == "~" || path.rfind("~/", 0) == 0)
    return user_directory() + path.substr(1);
  if (path[0] == '/')
    return path;
  char here[PATH_MAX];
  return ::getcwd(here, sizeof here) ? std::string{here} + "/" + path : path;
}

result<void> check_private_directory(const std::string& path) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0)
    return unusable(path, std::strerror(errno));
  if (!S_ISDIR(there.st_mode))
    return unusable(path, "is not a directory; move it away");
  if (there.st_uid != ::geteuid())
    return unusable(path,
                    "belongs to user " + std::to_string(there.st_uid)
                      + ", not to " + std::to_string(::geteuid())
                      + "; set AO_HOME to a directory of your own");
  if ((there.st_mode & 0077) != 0) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o",
                  static_cast<unsigned>(there.st_mode & 07777));
    return unusable(path,
                    std::string{"others may enter it (mode "} + mode
                      + "); run: chmod 700 " + path);
  }
  return {};
}

result<home> open_home(const std::string& path) {
  if (path.empty() || path[0] != '/')
    return unusable(path.empty() ? "AO_HOME" : path, "is not an absolute path");
  if (auto made = make_directories(path); !made)
    return fail(made.error());
  char real[PATH_MAX];
  if (!::realpath(path.c_str(), real))
    return unusable(path, std::strerror(errno));
  std::string root = real;
  if (auto ours = check_private_directory(root); !ours)
    return fail(ours.error());
  // Root passes access() everywhere; a read-only mount does not.
  if (::access(root.c_str(), R_OK | W_OK | X_OK) != 0)
    return unusable(root,
                    std::string{"cannot be written: "} + std::strerror(errno)
                      + "; set AO_HOME to another directory");
  auto run = make_run_dir(root);
  if (!run)
    return fail(run.error());
  home out{root, *run};
  for (const auto& made :
       {*run + "/s", out.repos(), out.forge(), out.worktrees(), out.sessions(),
        out.ci(), out.logs(), out.tls()})
    if (auto done = make_directories(made); !done)
      return fail(done.error());
  return out;
}

home locate_home(const std::string& path) {
  char real[PATH_MAX];
  std::string root = ::realpath(path.c_str(), real) ? real : path;
  auto plain = root + "/run";
  auto target = link_target(plain);
  if (!target.empty())
    return home{root, target};
  return home{root,
              plain.size() <= longest_run_dir ? plain : short_run_dir(root)};
}

} // namespace ao
