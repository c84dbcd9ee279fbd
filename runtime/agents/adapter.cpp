#include "runtime/agents/adapter.hpp"

namespace ao {
namespace {

/// Launch lines of the original (its §3.6).
agent_adapter opencode() {
  agent_adapter a;
  a.name = "opencode";
  a.program = "opencode";
  a.variables = {"OPENCODE_CONFIG", "ANTHROPIC_API_KEY", "OPENAI_API_KEY"};
  a.model_option = "--model";
  a.before_prompt = {"--prompt"};
  return a;
}

agent_adapter aider() {
  agent_adapter a;
  a.name = "aider";
  a.program = "aider";
  a.variables = {"ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENAI_API_BASE"};
  a.arguments = {"--yes"};
  a.model_option = "--model";
  a.before_prompt = {"--message"};
  a.interrupt_key = "C-c";
  return a;
}

agent_adapter gemini() {
  agent_adapter a;
  a.name = "gemini";
  a.program = "gemini";
  a.variables = {"GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_CLOUD_PROJECT"};
  a.permissions[0] = {"--yolo"};
  a.permissions[2] = {"--approval-mode", "auto_edit"};
  a.model_option = "--model";
  a.before_prompt = {"-i"};
  return a;
}

agent_adapter cursor() {
  agent_adapter a;
  a.name = "cursor";
  a.program = "agent";
  a.variables = {"CURSOR_API_KEY"};
  a.permissions[0] = {"--force", "--sandbox", "disabled", "--approve-mcps"};
  a.model_option = "--model";
  a.before_prompt = {"--"};
  return a;
}

void append(std::vector<std::string>& to,
            const std::vector<std::string>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

} // namespace

const std::vector<const agent_adapter*>& all_adapters() {
  static const agent_adapter plain[]
    = {opencode(), aider(), gemini(), cursor()};
  static const std::vector<const agent_adapter*> all = {&claude_code_adapter(),
                                                        &codex_adapter(),
                                                        &plain[0],
                                                        &plain[1],
                                                        &plain[2],
                                                        &plain[3]};
  return all;
}

const agent_adapter* find_adapter(std::string_view name) {
  for (const auto* adapter : all_adapters())
    if (adapter->name == name)
      return adapter;
  return nullptr;
}

launch_additions begin_launch(const agent_adapter& adapter,
                              const std::string& directory, environment env) {
  launch_additions out;
  out.env = std::move(env);
  for (const auto& [name, value] : adapter.settings)
    out.env.set(std::string{name}, std::string{value});
  if (adapter.configure)
    adapter.configure(directory, out);
  return out;
}

result<void> add_arguments(const agent_adapter& adapter,
                           const launch_wish& wish, launch_additions& out) {
  out.argv = wish.agent.command.empty()
    ? command_line{std::string{adapter.program}}
    : wish.agent.command;
  append(out.argv, adapter.arguments);
  append(out.argv,
         adapter.permissions[static_cast<int>(wish.config.permissions)]);
  if (wish.config.model && !adapter.model_option.empty())
    append(out.argv, {std::string{adapter.model_option}, *wish.config.model});
  if (adapter.add)
    if (auto ok = adapter.add(wish, out); !ok)
      return ok;
  if (wish.agent.prompt == prompt_delivery::paste)
    return {};
  append(out.argv, adapter.before_prompt);
  out.argv.push_back(wish.prompt);
  return {};
}

} // namespace ao
