#include "cli/commands/common.hpp"
#include "cli/commands/doctor_checks.hpp"
#include "runtime/home/lock.hpp"
#include "runtime/io/fd.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>

namespace ao::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t wanted_space = std::uint64_t{2} << 30;

bool hub_lives(const home& where) {
  auto holder = find_lock_holder(where);
  return !holder || *holder;
}

/// Takes away what others may do with a path of ours.
result<void> make_private(const std::string& path) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0
      || ::chmod(path.c_str(), there.st_mode & 0700) != 0)
    return fail(ec::home_unusable, errno_text(path));
  return {};
}

finding check_home(const std::string& path) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0) {
    finding out{"home", verdict::warn, path + " does not exist yet",
                "ao start makes it"};
    out.fix = [path]() -> result<void> {
      auto made = open_home(path);
      return made ? result<void>{} : fail(made.error());
    };
    return out;
  }
  auto usable = check_private_directory(locate_home(path).root());
  if (!usable) {
    finding out{"home", verdict::fail, usable.error().context,
                "set AO_HOME or repair it"};
    if (S_ISDIR(there.st_mode) && there.st_uid == ::geteuid()) {
      out.remedy = "chmod 700 " + path;
      out.fix = [path] { return make_private(path); };
    }
    return out;
  }
  if (::access(path.c_str(), W_OK | X_OK) != 0)
    return {"home", verdict::fail, path + " cannot be written",
            "set AO_HOME to a directory of your own"};
  return {"home", verdict::pass, path};
}

/// The files that hold what nobody else may read.
finding check_secrets(const home& where) {
  std::vector<std::string> open;
  for (const auto& path : {where.database(), where.database() + "-wal",
                           where.secret(), where.api_token()}) {
    struct stat there {};
    if (::lstat(path.c_str(), &there) != 0)
      continue;
    if (there.st_uid != ::geteuid())
      return {"secrets", verdict::fail, path + " belongs to another user",
              "chown it, or set AO_HOME to a directory of your own"};
    if ((there.st_mode & 0077) != 0)
      open.push_back(path);
  }
  if (open.empty())
    return {"secrets", verdict::pass, "only you can read them"};
  finding out{"secrets", verdict::fail, open.front() + " is open to others",
              "chmod 600 " + open.front()};
  out.fix = [open]() -> result<void> {
    for (const auto& path : open)
      if (auto done = make_private(path); !done)
        return done;
    return {};
  };
  return out;
}

finding check_space(const std::string& home) {
  auto path = home;
  struct statvfs room {};
  while (::statvfs(path.c_str(), &room) != 0) {
    auto slash = path.find_last_of('/');
    if (slash == std::string::npos || slash == 0)
      return {"space", verdict::warn, "cannot be told", "df -h " + home};
    path.resize(slash);
  }
  auto bytes = std::uint64_t{room.f_bavail} * room.f_frsize;
  auto mib = std::to_string(bytes >> 20) + " MiB free at " + path;
  if (bytes < wanted_space)
    return {"space", verdict::warn, mib,
            "free some; below limits.minFreeDisk no session is started"};
  return {"space", verdict::pass, mib};
}

finding check_sockets(const home& where) {
  auto longest = where.shim_socket(std::string(24, 'x')).size();
  if (longest > 107)
    return {"sockets", verdict::fail,
            where.run_dir() + " is too long for sockets",
            "set XDG_RUNTIME_DIR or a shorter AO_HOME"};
  return {"sockets", verdict::pass, where.run_dir()};
}

/// Sockets and a pid file of a hub that is gone.
finding check_stale(const home& where) {
  std::vector<std::string> stale;
  if (!hub_lives(where))
    for (const auto& path :
         {where.pid_file(), where.hub_socket(), where.agent_socket()}) {
      std::error_code ignored;
      if (fs::symlink_status(path, ignored).type() != fs::file_type::not_found)
        stale.push_back(path);
    }
  if (stale.empty())
    return {"stale files", verdict::pass, "none"};
  finding out{"stale files", verdict::warn,
              stale.front() + " is of a hub that is gone",
              "ao start replaces it"};
  out.fix = [stale, where]() -> result<void> {
    // Under the lock: nobody starts a hub meanwhile.
    auto lock = home_lock::take(where);
    if (!lock)
      return fail(lock.error());
    for (const auto& path : stale)
      if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        return fail(ec::home_unusable, errno_text(path));
    return {};
  };
  return out;
}

finding check_hub(const home& where) {
  auto holder = find_lock_holder(where);
  if (!holder)
    return {"hub", verdict::fail, holder.error().context, "repair the home"};
  if (!*holder)
    return {"hub", verdict::warn, "is not running", "ao start"};
  http::api_client api{where.hub_socket()};
  auto answer
    = api.call("GET", api_root + "/status", nullptr, {}, milliseconds{5'000});
  auto pid = "pid " + std::to_string((*holder)->pid);
  if (!answer)
    return {"hub", verdict::fail, pid + ": " + to_string(answer.error()),
            "ao stop, then ao start; the log is " + where.hub_log()};
  auto trouble = text_at(answer->body, "meta.storeTrouble.reason");
  if (!trouble.empty())
    return {"hub", verdict::fail, pid + " can write nothing: " + trouble,
            "it goes on by itself when the disk takes writes"};
  return {"hub", verdict::pass, pid};
}

} // namespace

std::vector<check> home_checks(const std::string& path) {
  auto where = locate_home(path);
  return {
    [path] { return check_home(path); },
    [where] { return check_secrets(where); },
    [path] { return check_space(path); },
    [where] { return check_sockets(where); },
    [where] { return check_stale(where); },
    [where] { return check_hub(where); },
  };
}

} // namespace ao::cli
