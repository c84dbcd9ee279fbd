#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "runtime/agents/launch.hpp"
#include "runtime/agents/probe.hpp"
#include "runtime/agents/versions.hpp"
#include "runtime/config/load.hpp"

#include <filesystem>

namespace ao::cli {
namespace {

using nlohmann::json;

/// The agents of the configuration here, else those that exist without one.
result<settings> agents_here() {
  std::error_code problem;
  auto here = std::filesystem::current_path(problem);
  if (problem)
    return fail(ec::bad_input,
                "the working directory is gone: " + problem.message());
  auto env = process_environment();
  auto found = find_config(here, env, home_path_from_environment());
  if (!found)
    return default_settings_of_all();
  auto loaded = load_config(*found, env);
  if (!loaded.value)
    return fail(ec::bad_input,
                loaded.errors.empty() ? "the configuration cannot be read"
                                      : to_string(loaded.errors.front()));
  return *loaded.value;
}

json text_or_null(std::string_view text) {
  return text.empty() ? json() : json(text);
}

/// Asks the program itself, as a spawn in this directory would.
json look_at(const agent_settings& agent, const std::string& directory) {
  const auto* adapter = find_adapter(agent.adapter);
  auto name = agent.command.empty()
    ? std::string{adapter ? adapter->program : ""}
    : agent.command.front();
  auto env = environment_for(agent, environment::inherited());
  auto program = find_program(name, env.get("PATH"));
  auto answer = probe_agent(agent, env, directory);
  // Who is called without knowing what it is may do anything.
  auto version
    = program && adapter ? version_of(*program, env, directory) : std::string{};
  auto warning
    = program && adapter ? version_warning(*adapter, version) : std::string{};
  return {{"name", agent.name},
          {"adapter", agent.adapter},
          {"program", text_or_null(program ? *program : name)},
          {"version", text_or_null(version)},
          {"tested", text_or_null(adapter ? adapter->tested : "")},
          {"warning", text_or_null(warning)},
          {"ready", answer.ready},
          {"reason", text_or_null(answer.reason)},
          {"account", text_or_null(agent.account)}};
}

} // namespace

outcome run_agents(invocation& what) {
  auto all = agents_here();
  if (!all)
    return fail(all.error());
  auto here = std::filesystem::current_path().string();
  auto rows = json::array();
  for (const auto& [name, agent] : all->agents)
    rows.push_back(look_at(agent, here));
  what.out.document({{"data", rows}});
  if (what.out.json())
    return 0;
  table lines;
  lines.head = {"AGENT", "ADAPTER", "VERSION", "TESTED", "READY", "WHY NOT"};
  for (const auto& row : rows) {
    auto ready = row["ready"].get<bool>();
    lines.rows.push_back(
      {{shown(row, "name")},
       {shown(row, "adapter")},
       {shown(row, "version")},
       {row["tested"].is_null() && row["adapter"] != "command"
          ? "untested"
          : shown(row, "tested")},
       {ready ? "yes" : "no", ready ? colour::green : colour::yellow},
       {ready ? "" : shown(row, "reason")}});
  }
  what.out.print(lines);
  for (const auto& row : rows)
    if (!row["warning"].is_null())
      what.out.note("warning: " + row["warning"].get<std::string>());
  return 0;
}

} // namespace ao::cli
