#include "runtime/agents/launch.hpp"

namespace ao {
namespace {

/// What is known of a program that exists without being configured.
struct builtin {
  std::string_view adapter;
  std::vector<std::string> command;
  std::vector<std::string> resume;
  prompt_delivery prompt;
};

/// Launch lines of the original (its §3.6); the adapters grow in depth here.
const std::vector<builtin>& builtins() {
  static const std::vector<builtin> rows = {
    {"codex",
     {"codex", "--disable", "daemon_auto_start", "-c",
      "check_for_update_on_startup=false",
      "--dangerously-bypass-approvals-and-sandbox"},
     {},
     prompt_delivery::argument},
    {"claude-code",
     {"claude", "--dangerously-skip-permissions"},
     {"claude", "--dangerously-skip-permissions", "--continue"},
     prompt_delivery::argument},
    {"opencode", {"opencode", "--prompt"}, {}, prompt_delivery::argument},
    {"aider", {"aider", "--yes", "--message"}, {}, prompt_delivery::argument},
    {"gemini", {"gemini", "--yolo", "-i"}, {}, prompt_delivery::argument},
    {"cursor",
     {"agent", "--force", "--sandbox", "disabled", "--approve-mcps", "--"},
     {},
     prompt_delivery::argument},
  };
  return rows;
}

const builtin* builtin_of(const agent_settings& agent) {
  for (const auto& row : builtins())
    if (row.adapter == agent.adapter)
      return &row;
  return nullptr;
}

prompt_delivery delivery_of(const agent_settings& agent) {
  if (agent.prompt)
    return *agent.prompt;
  const auto* row = builtin_of(agent);
  return row ? row->prompt : prompt_delivery::argument;
}

std::vector<std::string> command_of(const agent_settings& agent, bool again) {
  const auto* row = builtin_of(agent);
  if (again) {
    if (!agent.resume.empty())
      return agent.resume;
    if (row && agent.command.empty() && !row->resume.empty())
      return row->resume;
  }
  if (!agent.command.empty())
    return agent.command;
  return row ? row->command : std::vector<std::string>{};
}

std::string_view caller_type(session_role role) {
  return role == session_role::worker ? "agent" : to_string(role);
}

void set_identity(environment& env, const msg::session_spec& spec,
                  const session_places& places) {
  for (auto name :
       {"AO_SESSION", "AO_SESSION_ID", "AO_SESSION_NAME", "AO_TMUX_NAME"})
    env.set(name, spec.session.text);
  env.set("AO_TASK", spec.task.text);
  env.set("AO_EPOCH", std::to_string(spec.epoch));
  env.set("AO_RUN", std::to_string(spec.run));
  if (spec.resume != resume_reason::none)
    env.set("AO_RESUME_REASON", std::string{to_string(spec.resume)});
  env.set("AO_ROLE", std::string{to_string(spec.role)});
  env.set("AO_CALLER_TYPE", std::string{caller_type(spec.role)});
  env.set("AO_PROJECT_ID", spec.project.text);
  env.set("AO_ISSUE_ID", spec.issue);
  if (!spec.change.empty())
    env.set("AO_CHANGE", spec.change.text);
  if (!spec.incident.empty())
    env.set("AO_INCIDENT", spec.incident.text);
  env.set("AO_SOCKET", places.agent_socket);
  env.set("AO_TOKEN", spec.token);
  auto path = env.get("PATH");
  env.set("PATH", places.programs + (path.empty() ? "" : ":" + path));
}

} // namespace

result<void> check_prompt(const agent_settings& agent,
                          const std::string& prompt) {
  if (prompt.find('\0') != std::string::npos)
    return fail(ec::bad_input, "the prompt contains a NUL byte");
  if (delivery_of(agent) == prompt_delivery::argument
      && prompt.size() > longest_prompt_argument)
    return fail(ec::prompt_too_long,
                "the prompt has " + std::to_string(prompt.size())
                  + " bytes, an argument takes at most "
                  + std::to_string(longest_prompt_argument) + "; set agents."
                  + agent.name + ".prompt to file, stdin or paste");
  return {};
}

result<agent_launch>
plan_launch(const agent_settings& agent, const msg::session_spec& spec,
            const session_places& places, const environment& inherited) {
  if (auto ok = check_prompt(agent, spec.prompt); !ok)
    return fail(ok.error());
  agent_launch launch;
  launch.argv = command_of(agent, spec.run > 1);
  if (launch.argv.empty())
    return fail(ec::agent_not_ready,
                "agent " + agent.name + " has no command; set agents."
                  + agent.name + ".command");
  launch.env = inherited;
  for (const auto& [name, value] : agent.env)
    launch.env.set(name, value);
  set_identity(launch.env, spec, places);
  if (auto program = find_program(launch.argv[0], launch.env.get("PATH"));
      program)
    launch.argv[0] = *program;
  else
    return fail(ec::agent_not_ready,
                "agent " + agent.name + ": " + program.error().context);
  launch.prompt_file
    = places.directory + "/in/prompt." + std::to_string(spec.run);
  launch.env.set("AO_PROMPT_FILE", launch.prompt_file);
  if (!spec.incident.empty()) {
    launch.dossier_file = places.directory + "/in/dossier.json";
    launch.env.set("AO_DOSSIER", launch.dossier_file);
  }
  switch (delivery_of(agent)) {
  case prompt_delivery::argument:
    launch.argv.push_back(spec.prompt);
    break;
  case prompt_delivery::file:
    launch.argv.push_back(launch.prompt_file);
    break;
  case prompt_delivery::stdin_:
    launch.prompt_on_stdin = true;
    break;
  case prompt_delivery::paste:
    launch.paste_prompt = true;
    break;
  }
  return launch;
}

std::string interrupt_key(const agent_settings& agent) {
  // Full-screen programs take Escape; what reads lines gets the signal.
  auto full_screen = agent.command.empty() && builtin_of(agent) != nullptr
    && agent.adapter != "aider";
  return full_screen ? "Escape" : "C-c";
}

std::string prompt_of(const task& t) {
  if (t.key.find("/prompt:") != std::string::npos || t.body == t.title)
    return t.body;
  return t.body.empty() ? t.title : t.title + "\n\n" + t.body;
}

} // namespace ao
