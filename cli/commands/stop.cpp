#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "cli/commands/hub_process.hpp"
#include "runtime/home/lock.hpp"

namespace ao::cli {
namespace {

using nlohmann::json;

constexpr milliseconds stop_deadline{15'000};
/// TERM, 10 s, KILL and saving the work of every agent.
constexpr milliseconds agents_deadline{120'000};

outcome tell(invocation& what, bool was_running, pid_t pid) {
  what.out.document(
    {{"stopped", was_running}, {"pid", was_running ? json(pid) : json()}});
  what.out.line(was_running
                  ? "The hub has ended (pid " + std::to_string(pid) + ")"
                  : "The hub is not running");
  return 0;
}

} // namespace

outcome run_stop(invocation& what) {
  if (what.in_session())
    return fail(ec::not_allowed, "ao stop is for people, not for sessions");
  auto where = what.where();
  auto holder = find_lock_holder(where);
  if (!holder)
    return fail(holder.error());
  if (!*holder)
    return tell(what, false, 0);
  auto pid = (*holder)->pid;
  if (pid == 0)
    return fail(ec::process_failed,
                "a hub holds " + where.lock()
                  + ", but its process cannot be seen from here");
  auto agents = what.args.flag("agents");
  if (agents) {
    auto asked
      = what.api().call("POST", api_root + "/shutdown", {{"agents", true}},
                        idempotency(make_ulid()), agents_deadline);
    if (!asked)
      return fail(asked.error());
  }
  auto ended
    = end_hub(where, pid, agents, agents ? agents_deadline : stop_deadline);
  if (!ended)
    return fail(ended.error());
  if (!agents)
    what.out.note("agents go on running; ao start adopts them");
  return tell(what, true, pid);
}

} // namespace ao::cli
