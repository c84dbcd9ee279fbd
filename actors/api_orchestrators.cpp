#include "actors/api_call.hpp"
#include "actors/role_session.hpp"
#include "runtime/rules/orchestrators.hpp"

namespace ao {
namespace {

msg::open_session session_for(api_pointer self, const api_call& call,
                              const project_settings& project) {
  auto wanted = role_session_of(project, session_role::orchestrator,
                                orchestrator_subject(project.id));
  wanted.request = request_id{call.id.text + "/" + project.id.text};
  wanted.agent = orchestrator_of(*self->state.context.config, project);
  wanted.actor = "api";
  return wanted;
}

/// The orchestrators that a request has made or found so far.
struct gathering {
  std::size_t waits_for = 0;
  json rows = json::array();
  bool refused = false;
};

} // namespace

void post_orchestrators(api_pointer self, api_call_ptr call) {
  auto named = api::text_of(call->body, "project");
  if (!named)
    return call->refuse(named.error());
  const auto& all = *self->state.context.config;
  std::vector<const project_settings*> wanted;
  for (const auto& [id, project] : all.projects)
    if (named->empty() || id.text == *named)
      wanted.push_back(&project);
  if (wanted.empty())
    return call->refuse(error{ec::no_such_project,
                              named->empty() ? "the configuration has none"
                                             : *named + " is unknown"});
  auto all_of_them = std::make_shared<gathering>();
  all_of_them->waits_for = wanted.size();
  for (const auto* project : wanted)
    open_role_session(
      self, self->state.context, session_for(self, *call, *project),
      [call, all_of_them, id = project->id](const session_id& s) {
        auto& x = *all_of_them;
        x.rows.push_back({{"project", id.text}, {"session", s.text}});
        if (--x.waits_for == 0 && !x.refused)
          call->answer(200, json{{"data", x.rows}});
      },
      [call, all_of_them](const caf::error& why) {
        if (!std::exchange(all_of_them->refused, true))
          call->refuse(why);
      });
}

} // namespace ao
