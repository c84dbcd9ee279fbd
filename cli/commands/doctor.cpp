#include "cli/commands/ask_gateway.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "cli/commands/program.hpp"
#include "runtime/config/load.hpp"
#include "runtime/home/lock.hpp"
#include "runtime/notify/openclaw.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <vector>

namespace ao::cli {
namespace {

using nlohmann::json;

enum class verdict { pass, warn, fail };

struct finding {
  std::string name;
  verdict how = verdict::pass;
  std::string detail;
  /// What to do about it.
  std::string remedy = {};
};

constexpr std::uint64_t wanted_space = std::uint64_t{2} << 30;

const char* word_of(verdict how) {
  return how == verdict::pass ? "PASS" : how == verdict::warn ? "WARN" : "FAIL";
}

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

finding check_home(const std::string& path) {
  struct stat there {};
  if (::stat(path.c_str(), &there) != 0)
    return {"home", verdict::warn, path + " does not exist yet",
            "ao start makes it"};
  auto usable = check_private_directory(locate_home(path).root());
  if (!usable)
    return {"home", verdict::fail, usable.error().context,
            "set AO_HOME or repair it"};
  if (::access(path.c_str(), W_OK | X_OK) != 0)
    return {"home", verdict::fail, path + " cannot be written",
            "set AO_HOME to a directory of your own"};
  return {"home", verdict::pass, path};
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

/// The configuration that a hub started here would read.
std::optional<config_outcome> find_configuration(const std::string& home) {
  std::error_code problem;
  auto here = std::filesystem::current_path(problem);
  auto env = process_environment();
  auto found = find_config(here, env, home);
  if (!found)
    return std::nullopt;
  return load_config(*found, env);
}

finding check_configuration(const std::optional<config_outcome>& loaded) {
  if (!loaded)
    return {"config", verdict::warn, "none found",
            "ao start in a git repository derives one"};
  if (loaded->errors.empty())
    return {"config", verdict::pass, loaded->file};
  return {"config", verdict::fail, to_string(loaded->errors.front()),
          "repair it; ao config check lists everything"};
}

/// Whether a gateway takes what a notifier sends; no run of it is begun. One
/// that does not run is waited for, one that refuses is not.
finding check_gateway(const invocation& what, const notifier_settings& to) {
  using state = notify::gateway_probe::state;
  auto token = to.token.empty()
    ? notify::token_of_gateway(process_environment()("HOME").value_or(""))
    : to.token;
  auto probe = ask_gateway(what, to.url, token);
  auto how = probe.what == state::ready ? verdict::pass
    : probe.what == state::not_running || probe.what == state::no_answer
    ? verdict::warn
    : verdict::fail;
  auto known = token.empty() && probe.what == state::wrong_token
    ? "ao setup openclaw; no token is known here"
    : probe.remedy;
  return {"notifier " + to.id, how, probe.detail, known};
}

std::vector<finding>
check_gateways(const invocation& what,
               const std::optional<config_outcome>& loaded) {
  std::vector<finding> out;
  if (loaded && loaded->value)
    for (const auto& [id, to] : loaded->value->notifiers)
      if (to.plugin == "openclaw")
        out.push_back(check_gateway(what, to));
  return out;
}

} // namespace

outcome run_doctor(invocation& what) {
  auto path = home_path_from_environment();
  auto where = locate_home(path);
  auto loaded = find_configuration(path);
  std::vector<finding> findings = {
    check_program("git", "--version", 2, 38, "install git 2.38 or newer"),
    check_program("tmux", "-V", 3, 2, "install tmux 3.2 or newer"),
    check_home(path),
    check_space(path),
    check_sockets(where),
    check_configuration(loaded),
    check_hub(where),
  };
  for (auto& one : check_gateways(what, loaded))
    findings.push_back(std::move(one));
  auto rows = json::array();
  auto healthy = true;
  for (const auto& one : findings) {
    auto remedy = one.remedy.empty() ? "" : "  -> " + one.remedy;
    what.out.line(std::string{word_of(one.how)} + "  " + one.name + ": "
                    + one.detail + remedy,
                  one.how == verdict::pass     ? colour::green
                    : one.how == verdict::warn ? colour::yellow
                                               : colour::red);
    rows.push_back({{"check", one.name},
                    {"verdict", word_of(one.how)},
                    {"detail", one.detail},
                    {"remedy", one.remedy}});
    healthy = healthy && one.how != verdict::fail;
  }
  what.out.document({{"ok", healthy}, {"data", std::move(rows)}});
  return healthy ? 0 : 1;
}

} // namespace ao::cli
