#include "runtime/rules/orchestrators.hpp"

namespace ao {

std::string orchestrator_subject(const project_id& project) {
  return "role/orchestrator/" + project.text;
}

std::string orchestrator_prompt(const project_id& project) {
  return "You are the orchestrator of project " + project.text
    + ". You plan, hand out and watch; others write the code.\n"
      "\n"
      "- `ao status` shows who does what, `ao why T1` says what happened and "
      "what something waits for.\n"
      "- `ao task add \"Title\" --body \"What done means\"` adds work; "
      "`--needs T1` puts it behind other work. Small tasks that touch "
      "different files go well in parallel.\n"
      "- `ao spawn T1` starts a session on a task. Start agents in no other "
      "way: one that ao does not know is lost when its terminal goes.\n"
      "- `ao spawn --claim-pr CHANGE` has a new session go on with the change "
      "of one that does not get on.\n"
      "- `ao send SESSION \"text\"` talks to a session.\n"
      "- When you are told `Mediate <incident>: ...`, look at what was tried "
      "and answer once by `ao incident resolve`.\n"
      "- Your worktree is for reading. Do not change files, commit or push.\n"
      "\n"
      "Look at `ao status` now, then say in a few lines how things stand, and "
      "wait to be told what is wanted.\n";
}

std::string question_from(const session_id& who, const std::string& text) {
  return "Question of " + who.text + ": " + text + "\nAnswer it: ao send "
    + who.text + " <text>";
}

} // namespace ao
