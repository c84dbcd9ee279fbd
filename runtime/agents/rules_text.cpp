#include "runtime/agents/rules_text.hpp"

#include "runtime/git/tree.hpp"
#include "runtime/home/files.hpp"

namespace ao {
namespace {

std::string for_worker(const msg::session_spec& spec, change_opener opener) {
  std::string out = "Your worktree is the working directory, its branch is "
    + spec.branch + ", the base is " + spec.base
    + ". Work only there, on that branch; never push another one, never "
      "rewrite the base.\n"
      "- Commit all of your work, in small commits that say why.\n";
  out += opener == change_opener::hub
    ? "- When the task is done and committed, run `ao report completed`: your "
      "branch is pushed then, checked, reviewed and merged.\n"
    : "- When the task is done and committed, run `ao pr create --title "
      "\"...\" "
      "--body \"...\"`, then `ao report completed`.\n";
  out += "- What is found wrong with your change comes to you as a message: "
         "repair it, commit, and report again.\n"
         "- When you cannot go on without a person, run `ao report needs_input "
         "--note \"your question\"` and end your turn; the answer comes as a "
         "message.\n"
         "- Never start another agent program by yourself; `ao spawn` is the "
         "only way.\n";
  return out;
}

std::string for_reviewer() {
  return "You review; you never change files, commit or push. Give your "
         "verdict "
         "by `ao review submit --approve` or `ao review submit "
         "--request-changes --file FILE`, once.\n";
}

std::string for_mediator() {
  return "You mediate an incident; you never change files, commit or push. "
         "Read "
         "$AO_DOSSIER, then give one verdict by `ao incident resolve`.\n";
}

} // namespace

std::string rules_text(const msg::session_spec& spec, change_opener opener,
                       const std::string& own_rules) {
  auto out = "You work for ao, which runs many coding agents at once. This is "
             "session "
    + spec.session.text + (spec.task.empty() ? "" : ", task " + spec.task.text)
    + ", project " + spec.project.text + ".\n";
  switch (spec.role) {
  case session_role::reviewer:
    out += for_reviewer();
    break;
  case session_role::mediator:
    out += for_mediator();
    break;
  case session_role::orchestrator:
    out += "You coordinate and change no files: `ao status` shows who does "
           "what, `ao spawn` starts a session, `ao send` talks to one, `ao "
           "task add` adds work, `ao why` says what happened.\n";
    break;
  default:
    out += for_worker(spec, opener);
  }
  if (!own_rules.empty())
    out += "\n## Project rules\n\n" + own_rules
      + (own_rules.back() == '\n' ? "" : "\n");
  return out;
}

std::string resume_text(resume_reason why) {
  return "You were interrupted (" + std::string{to_string(why)}
  + ") and are running again, in the same worktree. Look at `git status` and "
    "`git log`, then finish what you were asked.";
}

result<std::string> own_rules_of(const project_settings& project,
                                 session_role role) {
  if (role == session_role::orchestrator)
    return project.orchestrator_rules.value_or("");
  if (role != session_role::worker)
    return std::string{};
  auto out = project.agent_rules.value_or("");
  if (!project.agent_rules_file)
    return out;
  // A link that somebody has committed must not lead anywhere else.
  const auto& file = *project.agent_rules_file;
  auto named = file.lexically_normal().lexically_relative(
    project.path.lexically_normal());
  auto named_below = !named.empty() && *named.begin() != "..";
  if (named_below && !is_below(file, project.path))
    return fail(ec::bad_input,
                "agentRulesFile " + file.string()
                  + ": a link leads out of the project, expected a file in it");
  auto text = read_file(file.string());
  if (!text)
    return fail(ec::bad_input,
                "agentRulesFile of project " + project.id.text + ": "
                  + text.error().context);
  if (!is_clean_utf8(*text))
    return fail(ec::bad_input,
                "agentRulesFile " + file.string()
                  + ": expected UTF-8 without NUL");
  return out + (out.empty() ? "" : "\n") + *text;
}

agent_config config_for(const project_settings& project, session_role role) {
  auto works = role == session_role::worker || role == session_role::reviewer;
  const auto& own = works ? project.worker : project.orchestrator;
  auto config = own.config.value_or(project.agent_defaults);
  if (!works && config.orchestrator_model)
    config.model = config.orchestrator_model;
  return config;
}

} // namespace ao
