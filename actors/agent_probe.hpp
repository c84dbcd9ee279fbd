#pragma once

#include "actors/hub_context.hpp"
#include "actors/job.hpp"
#include "runtime/agents/launch.hpp"

#include <chrono>
#include <filesystem>
#include <string>

namespace ao {

/// Asks whether the agent could start in a session of the project now, in a
/// job. Exactly one of the two is called; `on_ready` at once where there is
/// nothing to ask, `on_refused` with `agent_not_ready` or why nobody can say.
template <class Self, class OnReady, class OnRefused>
void when_agent_is_ready(Self* self, const hub_context& context,
                         const std::string& agent, const project_id& project,
                         std::chrono::milliseconds limit, OnReady on_ready,
                         OnRefused on_refused) {
  const auto* program = context.agent(agent);
  const auto* place = context.project(project);
  if (program == nullptr || place == nullptr || !can_tell(*program))
    return on_ready();
  run_job(
    self, context, limit,
    [desk = context.desk, program = *program,
     directory = place->path.string()]() -> result<bool> {
      auto env = environment_for(program, environment::inherited());
      auto answer = desk->ask(program, env, directory);
      if (!answer.ready)
        return fail(not_ready(program, answer));
      return true;
    },
    [on_ready](bool) mutable { on_ready(); }, std::move(on_refused));
}

} // namespace ao
