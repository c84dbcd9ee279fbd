#include "actors/api_call.hpp"
#include "runtime/rules/sessions.hpp"

namespace ao {
namespace {

/// The rows say when an agent is gone; looked at this often.
constexpr std::chrono::milliseconds look_again{100};
/// TERM, 10 s, KILL, and saving the work of a large worktree.
constexpr std::chrono::seconds park_limit{90};

/// One `ao stop --agents` under way.
struct parking {
  caf::actor_clock::time_point until;
  std::vector<session_id> sessions;
  std::size_t asking = 0;
};

bool has_agent(const session& s) {
  if (is_terminal(s) || s.role == session_role::manual)
    return false;
  return s.runtime == runtime_state::provisioning
    || s.runtime == runtime_state::starting || s.runtime == runtime_state::alive
    || awaits_restart(s);
}

/// Whether the agent is gone and its work is saved.
bool is_stopped(const row_view& rows, const session_id& id) {
  auto s = rows.find<session>(id.text);
  return !s || is_terminal(*s) || s->runtime == runtime_state::exited
    || (s->runtime == runtime_state::parked && s->agent_pid == 0
        && s->shim_pid == 0);
}

void wait_until_parked(api_pointer self, std::shared_ptr<parking> round) {
  auto& context = self->state.context;
  auto& open = round->sessions;
  open.erase(std::remove_if(open.begin(), open.end(),
                            [&](const session_id& id) {
                              return is_stopped(*context.rows, id);
                            }),
             open.end());
  auto late = self->clock().now() >= round->until;
  if (late)
    for (const auto& id : open)
      context.say(log_level::error, "agent_not_stopped session=" + id.text);
  if ((open.empty() && round->asking == 0) || late)
    return self->state.host.shutdown(true);
  auto again = [self, round] { wait_until_parked(self, round); };
  self
    ->request(spawn_pause(self, look_again),
              look_again + std::chrono::seconds{1}, caf::atom("pause"))
    .then([again](bool) { again(); }, [again](caf::error&) { again(); });
}

void park_agents(api_pointer self, const request_id& request) {
  auto& context = self->state.context;
  tell<dispatcher_actor>(context, "dispatcher"_name,
                         msg::hold_dispatch{"the hub is being stopped"});
  auto round = std::make_shared<parking>();
  round->until = self->clock().now() + park_limit;
  for (const auto& s : context.rows->all<session>()) {
    if (!has_agent(*s))
      continue;
    round->sessions.push_back(s->id);
    ++round->asking;
    auto done = [round] { --round->asking; };
    ask_session(
      self, s->id,
      msg::session_order{msg::session_order::kind::park, request, "api"},
      [done](const session&) { done(); },
      [self, done, id = s->id](const caf::error& why) {
        self->state.context.say(log_level::error,
                                "session_not_parked session=" + id.text
                                  + " reason=\"" + to_string(to_ao_error(why))
                                  + "\"");
        done();
      });
  }
  wait_until_parked(self, round);
}

} // namespace

void post_shutdown(api_pointer self, api_call_ptr call) {
  auto agents = api::flag_of(call->body, "agents");
  if (!agents)
    return call->refuse(agents.error());
  call->answer(202, {{"stopping", true}, {"agents", *agents}});
  self->state.context.say(log_level::info,
                          std::string{"shutdown_asked agents="}
                            + (*agents ? "true" : "false"));
  if (!self->state.host.shutdown)
    return;
  if (*agents)
    park_agents(self, call->id);
  else
    self->state.host.shutdown(false);
}

} // namespace ao
