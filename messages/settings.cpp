#include "messages/settings.hpp"

#include <algorithm>

namespace ao {
namespace {

template <class T>
void take(T& into, const std::optional<T>& from) {
  if (from)
    into = *from;
}

void apply(restart_settings& into, const restart_override& from) {
  take(into.intensity, from.intensity);
  take(into.period, from.period);
  take(into.delay, from.delay);
  take(into.max_delay, from.max_delay);
  take(into.jitter, from.jitter);
}

const agent_settings* find_agent(const settings& all, const std::string& name) {
  auto at = all.agents.find(name);
  return at == all.agents.end() ? nullptr : &at->second;
}

const std::string& first_of(const std::optional<std::string>& a,
                            const std::optional<std::string>& b,
                            const std::optional<std::string>& c,
                            const std::string& otherwise) {
  return a ? *a : b ? *b : c ? *c : otherwise;
}

} // namespace

std::string_view to_string(dispatch_mode x) {
  return x == dispatch_mode::manual ? "manual" : "auto";
}

std::string_view to_string(prompt_delivery x) {
  switch (x) {
  case prompt_delivery::argument:
    return "argument";
  case prompt_delivery::stdin_:
    return "stdin";
  case prompt_delivery::paste:
    return "paste";
  case prompt_delivery::file:
    return "file";
  }
  return "argument";
}

std::string_view to_string(forge_kind x) {
  return x == forge_kind::local ? "local" : "github";
}

std::string_view to_string(tracker_kind x) {
  return x == tracker_kind::file ? "file" : "github";
}

std::string_view to_string(merge_method x) {
  switch (x) {
  case merge_method::squash:
    return "squash";
  case merge_method::merge:
    return "merge";
  case merge_method::rebase:
    return "rebase";
  }
  return "squash";
}

std::string_view to_string(change_opener x) {
  return x == change_opener::hub ? "auto" : "agent";
}

std::string_view to_string(duplicate_policy x) {
  switch (x) {
  case duplicate_policy::warn:
    return "warn";
  case duplicate_policy::hold:
    return "hold";
  case duplicate_policy::off:
    return "off";
  }
  return "warn";
}

std::string_view to_string(reconcile_policy x) {
  switch (x) {
  case reconcile_policy::keep_original:
    return "keep_original";
  case reconcile_policy::keep_replacement:
    return "keep_replacement";
  case reconcile_policy::best_score:
    return "best_score";
  }
  return "keep_original";
}

std::string_view to_string(agent_permissions x) {
  switch (x) {
  case agent_permissions::permissionless:
    return "permissionless";
  case agent_permissions::standard:
    return "default";
  case agent_permissions::auto_edit:
    return "auto-edit";
  case agent_permissions::suggest:
    return "suggest";
  }
  return "permissionless";
}

std::string_view to_string(reaction_action x) {
  switch (x) {
  case reaction_action::notify:
    return "notify";
  case reaction_action::send_to_agent:
    return "send-to-agent";
  case reaction_action::auto_merge:
    return "auto-merge";
  }
  return "notify";
}

const std::vector<std::string>& builtin_agents() {
  static const std::vector<std::string> names{
    "claude-code", "codex", "opencode", "aider", "gemini", "cursor"};
  return names;
}

settings default_settings_of_all() {
  settings all;
  for (const auto& name : builtin_agents()) {
    auto& agent = all.agents[name];
    agent.name = name;
    agent.adapter = name;
  }
  return all;
}

const std::string& agent_of(const settings& all,
                            const project_settings& project) {
  return first_of(project.worker.agent, project.agent,
                  all.defaults.worker_agent, all.defaults.agent);
}

const std::string& orchestrator_of(const settings& all,
                                   const project_settings& project) {
  return first_of(project.orchestrator.agent, project.agent,
                  all.defaults.orchestrator_agent, all.defaults.agent);
}

const std::string& mediator_of(const settings& all,
                               const project_settings& project) {
  const auto& own = all.escalation.mediation.agent;
  return own ? *own : orchestrator_of(all, project);
}

restart_settings restart_of(const settings& all,
                            const project_settings& project,
                            const std::string& agent) {
  auto policy = all.restart;
  apply(policy, project.restart);
  if (const auto* own = find_agent(all, agent))
    apply(policy, own->restart);
  return policy;
}

hang_settings hang_of(const settings& all, const project_settings& project,
                      const std::string& agent) {
  auto policy = all.hang;
  if (const auto* stuck = reaction_of(all, project, "agent-stuck"))
    take(policy.after, stuck->threshold);
  take(policy.after, project.hang.after);
  if (const auto* own = find_agent(all, agent))
    take(policy.after, own->hang.after);
  return policy;
}

const reaction_settings* reaction_of(const settings& all,
                                     const project_settings& project,
                                     const std::string& event) {
  for (const auto* written : {&project.reactions, &all.reactions})
    if (auto at = written->find(event); at != written->end())
      return &at->second;
  return nullptr;
}

bool merges_by_itself(const settings& all, const project_settings& project) {
  if (project.merge.automatic)
    return *project.merge.automatic;
  if (const auto* r = reaction_of(all, project, "approved-and-green"))
    return r->automatic && r->action == reaction_action::auto_merge;
  return project.forge.plugin == forge_kind::local;
}

const std::vector<std::string>& notifiers_for(const settings& all, priority p) {
  const auto& routes = all.notification_routing;
  const auto* route = &routes.info;
  switch (p) {
  case priority::urgent:
    route = &routes.urgent;
    break;
  case priority::action:
    route = &routes.action;
    break;
  case priority::warning:
    route = &routes.warning;
    break;
  case priority::info:
    break;
  }
  return *route ? **route : all.defaults.notifiers;
}

std::string link_address(const settings& all) {
  if (all.cluster.link)
    return *all.cluster.link;
  if (!all.cluster.listen)
    return {};
  const auto& door = *all.cluster.listen;
  auto colon = door.rfind(':');
  return door.substr(0, colon + 1)
    + std::to_string(std::stoul(door.substr(colon + 1)) + 1);
}

std::string branch_of(const project_settings& project,
                      const session_id& session) {
  static constexpr std::string_view mark = "{session}";
  auto text = project.branch;
  auto at = text.find(mark);
  if (at != std::string::npos)
    text.replace(at, mark.size(), session.text);
  return text;
}

} // namespace ao
