#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "cli/commands/hub_process.hpp"

#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <sstream>

namespace ao::cli {
namespace {

using nlohmann::json;
using clock = std::chrono::steady_clock;

/// How long a push waits for a hub that is being restarted.
constexpr milliseconds patience{60'000};

/// Git runs hooks in the bare repository `forge/<project>.git`.
std::string project_here() {
  char here[PATH_MAX];
  if (!::getcwd(here, sizeof here))
    return "";
  std::string name = here;
  name = name.substr(name.find_last_of('/') + 1);
  auto dot = name.rfind(".git");
  return dot == std::string::npos ? name : name.substr(0, dot);
}

/// `<old> <new> <ref>` lines, as git feeds them.
result<json> read_updates() {
  std::string text;
  char chunk[4096];
  for (;;) {
    auto n = ::read(STDIN_FILENO, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    text.append(chunk, static_cast<std::size_t>(n));
  }
  auto out = json::array();
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    auto first = line.find(' ');
    auto second = line.find(' ', first + 1);
    if (first == std::string::npos || second == std::string::npos)
      return fail(ec::bad_input, "\"" + line + "\" is not a line of a hook");
    out.push_back({{"old", line.substr(0, first)},
                   {"new", line.substr(first + 1, second - first - 1)},
                   {"ref", line.substr(second + 1)}});
  }
  return out;
}

std::string directory_of(const std::string& path) {
  return path.substr(0, path.find_last_of('/'));
}

/// Asks until somebody answers; a hub that is being restarted is waited for.
result<http::reply> ask_hub(const invocation& what, const std::string& target,
                            const json& body) {
  auto api = what.api();
  auto id = make_ulid();
  directory_watch watch{directory_of(api.socket())};
  auto until = clock::now() + patience;
  for (;;) {
    auto answer = api.call("POST", target, body, idempotency(id));
    if (answer)
      return answer;
    auto code = answer.error().code;
    auto left = std::chrono::duration_cast<milliseconds>(until - clock::now());
    auto may_pass = code == ec::hub_not_running || code == ec::not_reachable
      || code == ec::shutting_down || code == ec::timed_out;
    if (!may_pass || left.count() <= 0)
      return answer;
    watch.wait(std::min(left, milliseconds{1'000}));
  }
}

std::string refusal_of(const error& why) {
  constexpr std::string_view start = "push refused: ";
  switch (why.code) {
  case ec::hub_not_running:
  case ec::not_reachable:
  case ec::shutting_down:
  case ec::timed_out:
    return std::string{start} + "lease not provable";
  default:
    return why.context.rfind(start, 0) == 0 ? why.context
                                            : std::string{start} + why.context;
  }
}

outcome run_hook(invocation& what, const std::string& name) {
  auto updates = read_updates();
  if (!updates)
    return fail(updates.error());
  json body{{"project", project_here()}, {"updates", *updates}};
  // Where the objects are until somebody agrees; a node carries them to its
  // hub.
  if (const auto* quarantine = std::getenv("GIT_QUARANTINE_PATH"))
    body["quarantine"] = quarantine;
  auto answer = ask_hub(what, api_root + "/hooks/" + name, body);
  if (answer)
    return 0;
  what.out.note("ao: " + refusal_of(answer.error()));
  return 1;
}

} // namespace

outcome run_hook_pre_receive(invocation& what) {
  return run_hook(what, "pre-receive");
}

outcome run_hook_post_receive(invocation& what) {
  return run_hook(what, "post-receive");
}

} // namespace ao::cli
