#pragma once

#include "actors/hub_context.hpp"
#include "actors/job.hpp"
#include "messages/interfaces.hpp"
#include "runtime/agents/launch.hpp"
#include "runtime/rules/breakers.hpp"

#include <chrono>
#include <filesystem>
#include <string>

namespace ao {

/// Why agents of this one are held for their login although the probe passes;
/// empty when they are not.
inline std::string held_blindly(const hub_context& context,
                                const agent_settings& agent) {
  auto b = context.rows->find<breaker>(breaker_key(agent, auth_failure));
  return b && holds(*b) && b->blind ? why_held(*b) : std::string{};
}

/// Asks whether the agent could start in a session of the project now, in a
/// job. Exactly one of the two is called; `on_ready` at once where there is
/// nothing to ask, `on_refused` with `agent_not_ready` or why nobody can say.
/// The BREAKERS hear of a login that is lost, or works again.
template <class Self, class OnReady, class OnRefused>
void when_agent_is_ready(Self* self, const hub_context& context,
                         const std::string& agent, const project_id& project,
                         std::chrono::milliseconds limit, OnReady on_ready,
                         OnRefused on_refused) {
  const auto* program = context.agent(agent);
  const auto* place = context.project(project);
  if (program == nullptr || place == nullptr || !can_tell(*program))
    return on_ready();
  auto key = breaker_key(*program, auth_failure);
  auto held = held_blindly(context, *program);
  run_job(
    self, context, limit,
    [desk = context.desk, program = *program, directory = place->path.string(),
     held]() -> result<bool> {
      auto env = environment_for(program, environment::inherited());
      auto answer = desk->ask(program, env, directory);
      if (answer.ready && !held.empty())
        answer = {false, held, std::string{auth_failure}};
      if (!answer.ready)
        return fail(not_ready(program, answer));
      return true;
    },
    [context, key, on_ready](bool) mutable {
      if (auto b = context.rows->find<breaker>(key); b && holds(*b))
        tell<breakers_actor>(context, "breakers"_name, probe_atom::value);
      on_ready();
    },
    [self, context, agent, project, held,
     on_refused = std::move(on_refused)](const caf::error& why) mutable {
      auto refused = to_ao_error(why);
      // Their own word is no news to the BREAKERS: told as a failure, it would
      // open again what is about to close.
      if (is_login_lost(refused) && held.empty())
        ask<breakers_actor>(
          self, context, "breakers"_name, registry_deadline,
          msg::agent_failed{
            agent, project, {}, std::string{auth_failure}, refused.context})
          .then([](std::uint64_t) {},
                [context](const caf::error& problem) {
                  context.say(log_level::warn,
                              "failure_not_told reason=\""
                                + to_string(to_ao_error(problem)) + "\"");
                });
      on_refused(why);
    });
}

} // namespace ao
