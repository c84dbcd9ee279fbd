#include "runtime/cluster/node_settings.hpp"

#include "messages/json.hpp"
#include "runtime/home/files.hpp"

namespace ao {
namespace {

constexpr std::size_t longest_rules = 256 * 1024;

json write(const std::optional<std::string>& x) {
  return x ? json(*x) : json{};
}

void read(const json& in, std::optional<std::string>& x) {
  x.reset();
  if (!in.is_null())
    x = in.get<std::string>();
}

json write(const agent_config& x) {
  return {{"permissions", static_cast<int>(x.permissions)},
          {"model", write(x.model)},
          {"orchestratorModel", write(x.orchestrator_model)},
          {"subagent", write(x.subagent)}};
}

void read(const json& in, agent_config& x) {
  x.permissions
    = static_cast<agent_permissions>(in.at("permissions").get<int>());
  read(in.at("model"), x.model);
  read(in.at("orchestratorModel"), x.orchestrator_model);
  read(in.at("subagent"), x.subagent);
}

json write(const role_settings& x) {
  return {{"agent", write(x.agent)},
          {"config", x.config ? write(*x.config) : json{}}};
}

void read(const json& in, role_settings& x) {
  read(in.at("agent"), x.agent);
  if (!in.at("config").is_null())
    read(in.at("config"), x.config.emplace());
}

json write(const agent_settings& x) {
  return {
    {"adapter", x.adapter},
    {"command", x.command},
    {"prompt", x.prompt ? json(static_cast<int>(*x.prompt)) : json{}},
    {"resume", x.resume},
    {"env", x.env},
    {"passEnv", x.pass_env},
    {"account", x.account},
    {"probe", x.probe},
    {"memory", x.limits.memory ? json(*x.limits.memory) : json{}},
    {"processes", x.limits.processes ? json(*x.limits.processes) : json{}}};
}

void read(const json& in, agent_settings& x) {
  in.at("adapter").get_to(x.adapter);
  in.at("command").get_to(x.command);
  if (const auto& prompt = in.at("prompt"); !prompt.is_null())
    x.prompt = static_cast<prompt_delivery>(prompt.get<int>());
  in.at("resume").get_to(x.resume);
  in.at("env").get_to(x.env);
  in.at("passEnv").get_to(x.pass_env);
  in.at("account").get_to(x.account);
  in.at("probe").get_to(x.probe);
  if (const auto& memory = in.at("memory"); !memory.is_null())
    x.limits.memory = memory.get<std::uint64_t>();
  if (const auto& processes = in.at("processes"); !processes.is_null())
    x.limits.processes = processes.get<std::uint32_t>();
}

/// `agentRules` and the text of `agentRulesFile`, one behind the other.
result<std::optional<std::string>> rules_of(const project_settings& x) {
  if (!x.agent_rules_file)
    return x.agent_rules;
  auto text = read_file(x.agent_rules_file->string(), longest_rules);
  if (!text)
    return fail(text.error());
  return x.agent_rules ? *x.agent_rules + "\n" + *text : *text;
}

result<json> write(const project_settings& x) {
  auto rules = rules_of(x);
  if (!rules)
    return fail(rules.error());
  return json{
    {"name", x.name},
    {"defaultBranch", x.default_branch},
    {"worker", write(x.worker)},
    {"orchestrator", write(x.orchestrator)},
    {"agentConfig", write(x.agent_defaults)},
    {"openChange", static_cast<int>(x.open_change)},
    {"postCreate", x.post_create},
    {"duplicates", static_cast<int>(x.duplicates)},
    {"agentRules", write(*rules)},
    {"orchestratorRules", write(x.orchestrator_rules)},
    {"stopOnClientAfterMs", x.disconnect.stop_on_client_after.count()}};
}

void read(const json& in, project_settings& x) {
  in.at("name").get_to(x.name);
  in.at("defaultBranch").get_to(x.default_branch);
  read(in.at("worker"), x.worker);
  read(in.at("orchestrator"), x.orchestrator);
  read(in.at("agentConfig"), x.agent_defaults);
  x.open_change = static_cast<change_opener>(in.at("openChange").get<int>());
  in.at("postCreate").get_to(x.post_create);
  x.duplicates = static_cast<duplicate_policy>(in.at("duplicates").get<int>());
  read(in.at("agentRules"), x.agent_rules);
  read(in.at("orchestratorRules"), x.orchestrator_rules);
  x.disconnect.stop_on_client_after
    = milliseconds{in.at("stopOnClientAfterMs").get<std::int64_t>()};
}

} // namespace

result<std::string> node_settings(const settings& all) {
  json out{{"agents", json::object()},
           {"projects", json::object()},
           {"halfOpenMs", all.breaker.half_open.count()}};
  for (const auto& [name, agent] : all.agents)
    out["agents"][name] = write(agent);
  for (const auto& [id, project] : all.projects) {
    auto written = write(project);
    if (!written)
      return fail(written.error());
    out["projects"][id.text] = std::move(*written);
  }
  return dump(out);
}

result<settings> read_node_settings(const std::string& text) {
  try {
    auto in = json::parse(text);
    settings out;
    out.breaker.half_open = milliseconds{
      in.value("halfOpenMs", std::int64_t{out.breaker.half_open.count()})};
    for (const auto& [name, agent] : in.at("agents").items()) {
      auto& x = out.agents[name];
      x.name = name;
      read(agent, x);
    }
    for (const auto& [name, project] : in.at("projects").items()) {
      auto& x = out.projects[project_id{name}];
      x.id = project_id{name};
      read(project, x);
    }
    return out;
  } catch (const json::exception& e) {
    return fail(ec::bad_input,
                std::string{"the hub's settings cannot be read: "} + e.what());
  }
}

} // namespace ao
