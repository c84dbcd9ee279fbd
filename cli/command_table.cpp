#include "cli/commands/commands.hpp"

namespace ao::cli {
namespace {

using kind = argument::kind;

argument word(std::string name, std::string help, bool required = false) {
  return {kind::positional, std::move(name), std::move(help), required};
}

argument must(std::string name, std::string help) {
  return word(std::move(name), std::move(help), true);
}

argument option(std::string name, std::string help) {
  return {kind::option, std::move(name), std::move(help), false};
}

argument options(std::string name, std::string help) {
  return {kind::option_list, std::move(name), std::move(help), false};
}

argument flag(std::string name, std::string help) {
  return {kind::flag, std::move(name), std::move(help), false};
}

std::vector<argument> start_arguments() {
  return {word("path", "Where the project or its configuration is"),
          flag("--restore", "Start the sessions again that a stop ended"),
          flag("--orchestrator", "Start the standing orchestrator"),
          flag("--no-local-node", "Run no agents on this host")};
}

std::vector<argument> change_texts() {
  return {option("--title", "Title of the change"),
          option("--body", "Description of the change"),
          option("--body-file", "The same from a file, - for standard input")};
}

} // namespace

const std::vector<command>& command_table() {
  static const std::vector<command> table = {
    {"start", "Start the hub", start_arguments(), run_start},
    {"stop",
     "Stop the hub; agents go on running",
     {flag("--agents", "Stop the agents too, saving their work")},
     run_stop},
    {"hub", "Run the hub in the foreground", start_arguments(), run_hub},
    {"status",
     "Show what every session is doing",
     {flag("--include-terminated", "Also sessions that have ended"),
      flag("--watch", "Stay, and show it anew at each change")},
     run_status},
    {"spawn",
     "Start an agent on a task",
     {word("issue", "Task (T42), key or the tracker's reference"),
      option("--prompt", "Work without an issue: this text"),
      option("--prompt-file", "The same from a file, - for standard input"),
      option("--agent", "Which agent program"),
      option("--node", "On which node"),
      option("--request-id", "Repeating a request id repeats its answer"),
      option("--timeout", "How long to wait for the agent (10m)"),
      flag("--no-wait", "Return as soon as the session is recorded")},
     run_spawn},
    {"batch-spawn",
     "Start an agent on each of these tasks, many at once",
     {{kind::positional_list, "issues", "Tasks, as spawn takes them", true},
      option("--agent", "Which agent program"),
      option("--node", "On which node"),
      option("--request-id", "Repeating a request id repeats its answers"),
      option("--timeout", "How long to wait for each agent (10m)"),
      flag("--no-wait", "Return as soon as the sessions are recorded")},
     run_batch_spawn},
    {"task add",
     "Add a task",
     {must("title", "One line"), option("--body", "What is to be done"),
      option("--body-file", "The same from a file, - for standard input"),
      options("--needs", "A task that must be finished before (repeatable)"),
      option("--priority", "0 (first) to 9"),
      options("--label", "A label (repeatable)"),
      option("--agent", "Which agent program"),
      option("--request-id", "Repeating a request id repeats its answer")},
     run_task_add},
    {"task import",
     "Add the tasks of a backlog, all of them or none",
     {word("file",
           "Markdown or JSON, - for standard input; by default the "
           "project's tracker.path"),
      option("--request-id", "Repeating a request id repeats its answer")},
     run_task_import},
    {"task ls",
     "List the tasks",
     {option("--state", "Only those in this state")},
     run_task_ls},
    {"task show", "Show a task", {must("task", "T42 or key")}, run_task_show},
    {"task cancel",
     "Cancel a task",
     {must("task", "T42 or key"), flag("--cascade", "Also those that need it")},
     run_task_cancel},
    {"task retry",
     "Make a failed, cancelled or parked task ready again, or let one start "
     "that is held because it looks like another",
     {must("task", "T42 or key")},
     run_task_retry},
    {"session ls",
     "List the sessions",
     {flag("--include-terminated", "Also sessions that have ended")},
     run_session_ls},
    {"session show",
     "Show a session",
     {must("session", "Its id")},
     run_session_show},
    {"session attach",
     "Open a session's terminal",
     {must("session", "Its id")},
     run_attach},
    {"session kill",
     "End a session; its work is saved, its worktree kept",
     {must("session", "Its id")},
     run_session_kill},
    {"session restore",
     "Bring an ended session back",
     {must("session", "Its id")},
     run_session_restore},
    {"session cleanup",
     "Remove the worktrees of ended sessions, after saving them",
     {flag("--dry-run", "Only say what would be done")},
     run_session_cleanup},
    {"attach",
     "Open a session's terminal",
     {must("session", "Its id")},
     run_attach},
    {"send",
     "Send a message to an agent",
     {must("session", "Its id"),
      {kind::positional_list, "text", "The words of the message", false},
      option("--file", "The message is in this file, - for standard input"),
      flag("--now", "Do not wait until the agent has finished its turn"),
      flag("--stop", "Interrupt what the agent does first"),
      option("--wait", "Wait until it is received (ack) or answered (answer)"),
      option("--timeout", "Deliver and wait no longer than this (10m)"),
      option("--request-id", "Repeating a request id repeats its answer")},
     run_send},
    {"messages",
     "Show the messages to a session and what became of them",
     {word("session", "By default all")},
     run_messages},
    {"why",
     "Tell how a task or session came to where it is",
     {must("subject", "Task or session")},
     run_why},
    {"events",
     "Print the record of everything that happened",
     {option("--after", "Only later ones than this number"),
      option("--subject", "Only those of this subject, e.g. task:T42"),
      flag("--follow", "Go on with what happens")},
     run_events},
    {"pr create", "Push the session's branch and open its change",
     change_texts(), run_pr_create},
    {"pr ls", "List the changes", {}, run_pr_ls},
    {"pr show", "Show a change", {must("change", "Its id")}, run_pr_show},
    {"summary",
     "Report what became of the tasks, e.g. of a night",
     {option("--since", "A time, or how long ago (24h)"),
      option("--until", "A time, or how long ago (now)")},
     run_summary},
    {"pull",
     "Bring what was merged into your checkout, if nothing is lost by it",
     {},
     run_pull},
    {"review submit",
     "Approve a change, or request changes (for reviewers)",
     {word("change", "Its id; in a reviewer's session the one under review"),
      flag("--approve", "The work may be merged"),
      flag("--request-changes", "The author is told what to change"),
      option("--file", "The review is in this file, - for standard input"),
      option("--sha", "Only if the change is still at this commit"),
      option("--request-id", "Repeating a request id repeats its answer")},
     run_review_submit},
    {"report",
     "Say how the work goes (for agents)",
     {must("state", "started, working, needs_input, completed, ..."),
      option("-s,--session", "The session, by default this one"),
      option("--note", "A line for people"),
      option("--pr-url", "The change's URL"),
      option("--pr-number", "The change's number")},
     run_report},
    {"acknowledge",
     "Say that the task was read (for agents)",
     {word("session", "The session, by default this one"),
      option("--note", "A line for people")},
     run_acknowledge},
    {"config check",
     "Say what is wrong with a configuration",
     {word("file", "By default the one that a hub started here would read")},
     run_config_check},
    {"config show",
     "Show every value and where it comes from",
     {word("file", "By default the one that a hub started here would read")},
     run_config_show},
    {"demo",
     "Show the whole work with a sample repository, then remove everything",
     {flag("--keep", "Leave the demo's home where it is"),
      option("--home", "Where to, instead of a temporary directory"),
      option("--parallel", "Most agents at once (4)")},
     run_demo},
    {"doctor", "Check what ao needs on this host", {}, run_doctor},
    {"hook pre-receive",
     "Ask the hub about a push",
     {},
     run_hook_pre_receive,
     true},
    {"hook post-receive",
     "Tell the hub of a push",
     {},
     run_hook_post_receive,
     true},
  };
  return table;
}

} // namespace ao::cli
