#include "cli/commands/doctor_checks.hpp"
#include "cli/commands/program.hpp"

#include <pwd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace ao::cli {
namespace {

/// A hub of fifteen agents needs a few hundred; one of two hundred thousands.
constexpr rlim_t wanted_files = 4'096;
/// A pane each, and the person's own terminals.
constexpr std::uint64_t wanted_terminals = 64;
/// A build tool of an agent that watches its files takes thousands.
constexpr std::uint64_t wanted_watches = 65'536;

/// Checks that `<program> <flag>` prints a version of at least major.minor.
finding check_program(const std::string& program, const char* flag, int major,
                      int minor, const std::string& remedy) {
  auto wanted = std::to_string(major) + "." + std::to_string(minor);
  auto end = run_program({program, flag}, program_output::captured);
  if (!end)
    return {program, verdict::fail, end.error().context, remedy};
  auto text = end->text.substr(0, end->text.find('\n'));
  auto digit = text.find_first_of("0123456789");
  int a = 0;
  int b = 0;
  if (end->status != 0 || digit == std::string::npos
      || std::sscanf(text.c_str() + digit, "%d.%d", &a, &b) != 2)
    return {program, verdict::fail, "does not say its version", remedy};
  auto enough = a > major || (a == major && b >= minor);
  return {program, enough ? verdict::pass : verdict::fail,
          text + (enough ? "" : ", " + wanted + " is needed"),
          enough ? "" : remedy};
}

/// A number that the kernel shows in a file; nothing where it does not.
std::optional<std::uint64_t> number_in(const char* file) {
  std::ifstream in{file};
  std::uint64_t out = 0;
  return in >> out ? std::optional{out} : std::nullopt;
}

finding check_files() {
  rlimit now{};
  if (::getrlimit(RLIMIT_NOFILE, &now) != 0)
    return {"open files", verdict::warn, "cannot be told", "ulimit -n"};
  auto text = std::to_string(now.rlim_cur) + " at once";
  if (now.rlim_cur >= wanted_files)
    return {"open files", verdict::pass, text};
  auto wanted = std::to_string(wanted_files);
  return {"open files", verdict::warn, text + ", " + wanted + " are better",
          now.rlim_max >= wanted_files
            ? "ulimit -n " + wanted + " before ao start"
            : "raise nofile in /etc/security/limits.conf"};
}

finding check_terminals() {
  auto most = number_in("/proc/sys/kernel/pty/max");
  auto used = number_in("/proc/sys/kernel/pty/nr");
  if (!most || !used)
    return {"terminals", verdict::warn, "cannot be told",
            "is /proc mounted, and /dev/pts?"};
  auto free = *most > *used ? *most - *used : 0;
  auto text = std::to_string(free) + " of " + std::to_string(*most) + " free";
  if (free >= wanted_terminals)
    return {"terminals", verdict::pass, text};
  return {"terminals", verdict::fail, text + "; each agent needs one",
          "sysctl kernel.pty.max=4096"};
}

finding check_watches() {
  auto most = number_in("/proc/sys/fs/inotify/max_user_watches");
  if (!most)
    return {"inotify", verdict::pass, "not of this kernel"};
  auto text = std::to_string(*most) + " watches";
  if (*most >= wanted_watches)
    return {"inotify", verdict::pass, text};
  return {"inotify", verdict::warn, text + "; agents' build tools need more",
          "sysctl fs.inotify.max_user_watches=524288"};
}

/// Whether what this user has started outlives the last login.
finding check_linger() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (!fs::exists("/run/systemd/system", ignored))
    return {"linger", verdict::pass, "no systemd here; nothing ends us"};
  const auto* me = ::getpwuid(::geteuid());
  std::string name = me ? me->pw_name : "";
  if (::geteuid() == 0
      || fs::exists("/var/lib/systemd/linger/" + name, ignored))
    return {"linger", verdict::pass, "goes on after logout"};
  auto out = finding{"linger", verdict::warn,
                     "systemd may end hub and agents at your logout",
                     "loginctl enable-linger " + name};
  out.fix = [name]() -> result<void> {
    auto end
      = run_program({"loginctl", "enable-linger", name}, program_output::shown);
    if (!end)
      return fail(end.error());
    if (end->status != 0)
      return fail(ec::not_allowed,
                  "loginctl enable-linger " + name + " exited with "
                    + std::to_string(end->status));
    return {};
  };
  return out;
}

} // namespace

std::vector<check> host_checks() {
  return {
    [] {
      return check_program("git", "--version", 2, 38,
                           "install git 2.38 or newer");
    },
    [] {
      return check_program("tmux", "-V", 3, 2, "install tmux 3.2 or newer");
    },
    check_files,
    check_terminals,
    check_watches,
    check_linger,
  };
}

} // namespace ao::cli
