#include "cli/commands/doctor_checks.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/process/limited_tree.hpp"

#include <cstdlib>

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

/// The program of an agent that a project starts can be found.
finding check_agents(const settings& all) {
  const auto* path = std::getenv("PATH");
  for (const auto& [id, project] : all.projects) {
    const auto& name = agent_of(all, project);
    auto agent = all.agents.find(name);
    if (agent == all.agents.end() || agent->second.command.empty())
      continue;
    const auto& program = agent->second.command.front();
    if (!find_program(program, path ? path : ""))
      return {"agents", verdict::fail,
              id.text + ": " + program + " of agent " + name
                + " cannot be found",
              "install it, or set agents." + name + ".command"};
  }
  return {"agents", verdict::pass, "their programs are there"};
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
