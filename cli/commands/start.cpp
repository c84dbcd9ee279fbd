#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "cli/commands/hub_process.hpp"
#include "runtime/home/lock.hpp"
#include "runtime/http/problem.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace ao::cli {
namespace {

using nlohmann::json;
using clock = std::chrono::steady_clock;

constexpr milliseconds start_deadline{10'000};

/// The arguments of `start` and `hub`, for the hub's program.
std::vector<std::string> hub_arguments(const invocation& what) {
  std::vector<std::string> out;
  for (const auto* name : {"restore", "no-local-node"})
    if (what.args.flag(name))
      out.push_back(std::string{"--"} + name);
  if (auto path = what.args.maybe("path")) {
    out.push_back("--");
    out.push_back(*path);
  }
  return out;
}

/// Asks a hub that lives for its state; one that is still starting is waited
/// for. Nothing when it has ended meanwhile: a child of a hub that was killed
/// holds its lock until it runs its own program.
result<std::optional<json>> wait_for_api(const home& where) {
  http::api_client api{where.hub_socket()};
  directory_watch watch{where.run_dir()};
  auto until = clock::now() + start_deadline;
  for (;;) {
    auto answer = api.call("GET", api_root + "/status");
    if (answer)
      return std::move(answer->body);
    if (answer.error().code != ec::hub_not_running)
      return fail(answer.error());
    auto left = std::chrono::duration_cast<milliseconds>(until - clock::now());
    auto holder = find_lock_holder(where);
    if (holder && !*holder)
      return std::optional<json>{};
    if (left.count() <= 0)
      return fail(ec::timed_out,
                  "a hub lives but does not answer\n" + last_log_lines(where));
    // A hub that dies makes no event here, hence the small steps.
    watch.wait(std::min(left, milliseconds{500}));
  }
}

/// Has the standing orchestrator of each project started, or found.
result<json> ask_for_orchestrators(const home& where) {
  http::api_client api{where.hub_socket()};
  auto answer = api.call("POST", api_root + "/orchestrators", json::object());
  if (!answer)
    return fail(answer.error());
  return answer->body["data"];
}

outcome tell(invocation& what, const home& where, json facts, bool already) {
  if (what.args.flag("orchestrator")) {
    auto orchestrators = ask_for_orchestrators(where);
    if (!orchestrators)
      return fail(orchestrators.error());
    facts["orchestrators"] = std::move(*orchestrators);
  }
  facts["socket"] = where.hub_socket();
  facts["alreadyRunning"] = already;
  facts.erase("ready");
  what.out.document(facts);
  what.out.line(std::string{already ? "The hub runs already" : "The hub runs"}
                + " (pid " + shown(facts, "pid") + ") in " + where.root());
  auto adopted = facts.value("adopted", json{});
  if (!already && adopted.is_number() && adopted != 0)
    what.out.line("Adopted " + adopted.dump() + " running sessions");
  if (auto agents = facts.value("agents", json::array()); !agents.empty())
    what.out.line("Agent programs found: " + shown(facts, "agents"));
  for (const auto& one : facts.value("orchestrators", json::array()))
    what.out.line("Orchestrator of " + shown(one, "project") + ": "
                  + shown(one, "session"));
  for (const auto& note : facts.value("notes", json::array()))
    if (note.is_string())
      what.out.note("ao: " + note.get<std::string>());
  return 0;
}

/// Nothing when it has ended meanwhile.
std::optional<outcome> tell_running(invocation& what, const home& where,
                                    pid_t pid) {
  auto answer = wait_for_api(where);
  if (!answer)
    return fail(answer.error());
  if (!*answer)
    return std::nullopt;
  auto& status = **answer;
  auto hub = status["meta"].is_object()
    ? status["meta"].value("hub", json::object())
    : json::object();
  // A lock that was just taken may not name its holder yet.
  auto holder = find_lock_holder(where);
  if (pid == 0 && holder && *holder)
    pid = (*holder)->pid;
  return tell(what, where,
              {{"pid", pid == 0 ? hub.value("pid", json{}) : json(pid)},
               {"startedAt", hub.value("startedAt", json{})},
               {"adopted", hub.value("adopted", json(0))}},
              true);
}

outcome refuse_in_session(const invocation& what) {
  return fail(ec::not_allowed,
              "ao " + what.name + " is for people, not for sessions");
}

/// Tells of the hub that runs, or starts one. Nothing when one that ran has
/// ended meanwhile.
std::optional<outcome> try_to_start(invocation& what, const home& where) {
  auto holder = find_lock_holder(where);
  if (!holder)
    return fail(holder.error());
  if (*holder)
    return tell_running(what, where, (*holder)->pid);
  auto hub = start_hub(where, what.program_dir, hub_arguments(what));
  if (!hub)
    return fail(hub.error());
  auto line = read_readiness(hub->ready, start_deadline);
  ::close(hub->ready);
  if (!line)
    return fail(line.error().code,
                line.error().context + "\n" + last_log_lines(where));
  auto facts = json::parse(*line, nullptr, false);
  if (!facts.is_object())
    return fail(ec::process_failed,
                "the hub has ended while starting\n" + last_log_lines(where));
  if (!facts.contains("error"))
    return tell(what, where, std::move(facts), false);
  // Whoever mends what is wrong and tries again must not meet this one.
  await_end(*hub, start_deadline);
  auto why = http::error_of_problem(500, facts["error"].dump());
  // Somebody else's `ao start` was faster.
  if (why.code == ec::hub_already_running)
    return tell_running(what, where, 0);
  return fail(std::move(why));
}

} // namespace

outcome run_start(invocation& what) {
  constexpr int tries = 5;
  if (what.in_session())
    return refuse_in_session(what);
  auto where = open_home(home_path_from_environment());
  if (!where)
    return fail(where.error());
  for (int i = 0; i < tries; ++i)
    if (auto done = try_to_start(what, *where))
      return *done;
  return fail(ec::process_failed,
              "hubs come and go in " + where->root() + "\n"
                + last_log_lines(*where));
}

outcome run_hub(invocation& what) {
  if (what.in_session())
    return refuse_in_session(what);
  auto program = what.program_dir + "/ao-hub";
  auto words = hub_arguments(what);
  words.insert(words.begin(), program);
  std::vector<char*> argv;
  for (auto& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  return fail(ec::program_missing, program + ": " + std::strerror(errno));
}

} // namespace ao::cli
