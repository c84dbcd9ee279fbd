#include "runtime/agents/launch.hpp"

#include "runtime/agents/exec_guard.hpp"
#include "runtime/agents/rules_text.hpp"
#include "runtime/home/files.hpp"

#include <algorithm>
#include <filesystem>

namespace ao {
namespace {

namespace fs = std::filesystem;

/// A built-in agent's own way takes precedence over how `command` does it.
bool is_built_in(const agent_settings& agent) {
  return find_adapter(agent.adapter) != nullptr;
}

prompt_delivery delivery_of(const agent_settings& agent) {
  auto way = agent.prompt.value_or(prompt_delivery::argument);
  if (is_built_in(agent) && way != prompt_delivery::paste)
    return prompt_delivery::argument;
  return way;
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

environment environment_for(const agent_settings& agent,
                            const environment& inherited) {
  auto names = agent.pass_env;
  const auto* adapter = find_adapter(agent.adapter);
  if (adapter)
    names.insert(names.end(), adapter->variables.begin(),
                 adapter->variables.end());
  auto env = inherited;
  auto ours = environment::inherited(names);
  for (const auto& name : names)
    if (auto at = ours.values().find(name); at != ours.values().end())
      env.set(name, at->second);
  for (const auto& [name, value] : agent.env)
    env.set(name, value);
  return env;
}

namespace {

/// The `command` agent: what is configured, as it is.
result<void> plan_command(const launch_request& request, agent_launch& launch) {
  const auto& agent = request.agent;
  // A first run may have ended before its agent was there.
  auto again = request.spec.run > 1
    && request.spec.resume != resume_reason::none && !agent.resume.empty();
  launch.argv = again ? agent.resume : agent.command;
  if (launch.argv.empty())
    return fail(ec::agent_not_ready,
                "agent " + agent.name + " has no command; set agents."
                  + agent.name + ".command");
  switch (delivery_of(agent)) {
  case prompt_delivery::argument:
    launch.argv.push_back(request.spec.prompt);
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
  return {};
}

/// A built-in agent: what its adapter knows.
result<void> plan_built_in(const agent_adapter& adapter,
                           const launch_request& request,
                           agent_launch& launch) {
  const auto& spec = request.spec;
  auto rules = own_rules_of(request.project, spec.role);
  if (!rules)
    return fail(rules.error());
  auto planned
    = begin_launch(adapter, request.places.directory, std::move(launch.env));
  auto config = config_for(request.project, spec.role);
  launch_wish wish{request.agent,
                   config,
                   request.places.worktree,
                   rules_text(spec, request.project.open_change, *rules),
                   spec.prompt,
                   {},
                   request.places.directory};
  auto talk = take_up_conversation(adapter.transcript, spec, planned.env,
                                   std::string{adapter.name}, wish.directory,
                                   wish.worktree);
  if (!talk)
    return fail(talk.error());
  wish.talk = *talk;
  if (talk->heard_prompt)
    wish.prompt = resume_text(spec.resume);
  if (auto ok = add_arguments(adapter, wish, planned); !ok)
    return ok;
  launch.argv = std::move(planned.argv);
  launch.env = std::move(planned.env);
  launch.configuration = std::move(planned.configuration);
  launch.talk = std::move(*talk);
  launch.paste_prompt = delivery_of(request.agent) == prompt_delivery::paste;
  return {};
}

} // namespace

result<agent_launch> plan_launch(const launch_request& request) {
  const auto& agent = request.agent;
  const auto& spec = request.spec;
  const auto& places = request.places;
  if (auto ok = check_prompt(agent, spec.prompt); !ok)
    return fail(ok.error());
  agent_launch launch;
  launch.limits = {agent.limits.memory, agent.limits.processes};
  launch.env = request.env;
  set_identity(launch.env, spec, places);
  launch.prompt_file
    = places.directory + "/in/prompt." + std::to_string(spec.run);
  launch.env.set("AO_PROMPT_FILE", launch.prompt_file);
  if (!spec.incident.empty()) {
    launch.dossier_file = places.directory + "/in/dossier.json";
    launch.env.set("AO_DOSSIER", launch.dossier_file);
  }
  const auto* adapter = find_adapter(agent.adapter);
  auto planned = adapter ? plan_built_in(*adapter, request, launch)
                         : plan_command(request, launch);
  if (!planned)
    return fail(planned.error());
  if (auto program = find_program(launch.argv[0], launch.env.get("PATH"));
      program)
    launch.argv[0] = *program;
  else
    return fail(ec::agent_not_ready,
                "agent " + agent.name + ": " + program.error().context);
  // Not before its own program is found.
  if (has_exec_guard(spec.role))
    launch.env.set(
      "PATH", exec_guard_of(places.directory) + ":" + launch.env.get("PATH"));
  return launch;
}

result<void> make_overlay(const launch_additions::overlay& overlay) {
  if (auto made = make_directories(overlay.path); !made)
    return made;
  auto is_ours = [&](const std::string& name) {
    return std::find(overlay.leave_out.begin(), overlay.leave_out.end(), name)
      != overlay.leave_out.end();
  };
  std::error_code none;
  fs::directory_iterator i{overlay.from, none}, end;
  for (; !none && i != end; i.increment(none)) {
    auto name = i->path().filename().string();
    auto link = fs::path{overlay.path} / name;
    if (is_ours(name) || fs::exists(fs::symlink_status(link)))
      continue;
    std::error_code problem;
    fs::create_symlink(i->path(), link, problem);
    if (problem)
      return fail(ec::home_unusable, link.string() + ": " + problem.message());
  }
  for (const auto& [name, bytes] : overlay.own) {
    auto file = overlay.path + "/" + name;
    if (auto ok = write_file_durably(file, bytes); !ok)
      return ok;
  }
  return {};
}

std::string interrupt_key(const agent_settings& agent) {
  // Full-screen programs take Escape; what reads lines gets the signal.
  const auto* adapter = find_adapter(agent.adapter);
  return adapter ? std::string{adapter->interrupt_key} : "C-c";
}

std::optional<kept_commands> kept_after_interrupt(const agent_settings& agent) {
  const auto* adapter = find_adapter(agent.adapter);
  if (!adapter || adapter->kept.sign.empty())
    return std::nullopt;
  return adapter->kept;
}

std::string prompt_of(const task& t) {
  if (t.key.find("/prompt:") != std::string::npos || t.body == t.title)
    return t.body;
  return t.body.empty() ? t.title : t.title + "\n\n" + t.body;
}

} // namespace ao
