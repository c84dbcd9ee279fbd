#include "cli/commands/doctor_checks.hpp"
#include "runtime/agents/launch.hpp"
#include "runtime/agents/probe.hpp"
#include "runtime/agents/versions.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/process/limited_tree.hpp"

#include <map>

namespace ao::cli {
namespace {

finding check_configuration(const std::optional<config_outcome>& loaded) {
  if (!loaded)
    return {"config", verdict::warn, "none found",
            "ao start in a git repository derives one"};
  if (loaded->errors.empty())
    return {"config", verdict::pass, loaded->file};
  return {"config", verdict::fail, to_string(loaded->errors.front()),
          "repair it; ao config check lists everything"};
}

/// Each forge that wants a token has one.
finding check_forges(const settings& all) {
  auto env = process_environment();
  for (const auto& [id, project] : all.projects) {
    if (project.forge.plugin == forge_kind::local)
      continue;
    const auto& name = project.forge.token_env;
    if (env(name).value_or("").empty())
      return {"forge", verdict::fail, id.text + ": " + name + " is not set",
              "export " + name + " before ao start"};
  }
  return {"forge", verdict::pass,
          std::to_string(all.projects.size()) + " project(s)"};
}

/// The agents that the projects start, once each.
std::map<std::string, const agent_settings*> used_agents(const settings& all) {
  std::map<std::string, const agent_settings*> out;
  for (const auto& [id, project] : all.projects)
    if (auto agent = all.agents.find(agent_of(all, project));
        agent != all.agents.end())
      out.emplace(agent->first, &agent->second);
  return out;
}

/// Each of them could start now, by a program that is known.
finding check_agents(const settings& all) {
  auto inherited = environment::inherited();
  std::string versions;
  std::string warnings;
  for (const auto& [name, agent] : used_agents(all)) {
    auto env = environment_for(*agent, inherited);
    auto answer = probe_agent(*agent, env, "/");
    if (!answer.ready)
      return {"agents", verdict::fail, name + ": " + answer.reason,
              "repair it, or set defaults.agent; ao agents lists all"};
    const auto* adapter = find_adapter(agent->adapter);
    if (!adapter)
      continue;
    auto program
      = find_program(agent->command.empty() ? std::string{adapter->program}
                                            : agent->command.front(),
                     env.get("PATH"));
    auto version = program ? version_of(*program, env, "/") : std::string{};
    versions += (versions.empty() ? "" : ", ") + name + " " + version;
    if (auto warning = version_warning(*adapter, version); !warning.empty())
      warnings += (warnings.empty() ? "" : "; ") + warning;
  }
  if (!warnings.empty())
    return {"agents", verdict::warn, warnings,
            "install a version that was tested, or watch its first sessions"};
  return {"agents", verdict::pass,
          versions.empty() ? "their programs are there" : versions};
}

/// What agents may take can be held on this machine.
finding check_agent_limits(const settings& all) {
  std::vector<std::string> held;
  for (const auto& [name, agent] : all.agents) {
    tree_limits limits{agent.limits.memory, agent.limits.processes};
    if (!limits.any())
      continue;
    auto offer = try_limits(limits);
    if (!offer.missing.empty())
      return {"agent limits", verdict::warn,
              name + ": not held: " + offer.missing.front(),
              "run the hub as a service of systemd (docs/operations.md)"};
    held = offer.held;
  }
  std::string text;
  for (const auto& one : held)
    text += (text.empty() ? "" : ", ") + one;
  return {"agent limits", verdict::pass, text.empty() ? "none are set" : text};
}

} // namespace

std::vector<check>
configuration_checks(const std::optional<config_outcome>& loaded) {
  std::vector<check> out{[&loaded] { return check_configuration(loaded); }};
  if (loaded && loaded->value) {
    out.push_back([&loaded] { return check_forges(*loaded->value); });
    out.push_back([&loaded] { return check_agents(*loaded->value); });
    out.push_back([&loaded] { return check_agent_limits(*loaded->value); });
  }
  return out;
}

} // namespace ao::cli
