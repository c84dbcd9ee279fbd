#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"

namespace ao::cli {

outcome run_status(invocation& what) {
  auto target = api_root + "/status";
  add_query(target, "project", what.project);
  if (what.args.flag("include-terminated"))
    add_query(target, "include", "terminated");
  auto done = show_list(what, target,
                        {{"SESSION", "name"},
                         {"STATUS", "status"},
                         {"TASK", "task"},
                         {"AGENT", "agent"},
                         {"NODE", "node"},
                         {"PR", "pr"},
                         {"CI", "ciStatus"},
                         {"REVIEW", "reviewDecision"},
                         {"SINCE", "since"},
                         {"SUMMARY", "summary"}},
                        9, "No sessions. Start one: ao spawn");
  return done;
}

} // namespace ao::cli
