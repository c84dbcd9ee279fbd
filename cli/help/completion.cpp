#include "cli/help/completion.hpp"

#include "cli/help/shells.hpp"

#include <algorithm>

namespace ao::cli {
namespace {

struct known_values {
  std::string_view name;
  completion_values values;
};

constexpr auto hub = word_source::hub;
constexpr auto fixed = word_source::fixed;
constexpr auto files = word_source::files;

/// By the name of an argument, whatever its command.
const known_values by_name[] = {
  {"session", {hub, "sessions"}},
  {"--session", {hub, "sessions"}},
  {"task", {hub, "tasks"}},
  {"issue", {hub, "tasks"}},
  {"issues", {hub, "tasks"}},
  {"--needs", {hub, "tasks"}},
  {"subject", {hub, "subjects"}},
  {"of", {hub, "logged"}},
  {"change", {hub, "changes"}},
  {"--claim-pr", {hub, "changes"}},
  {"incident", {hub, "incidents"}},
  {"notification", {hub, "notifications"}},
  {"channel", {hub, "notifiers"}},
  {"--channel", {hub, "notifiers"}},
  {"--agent", {hub, "agents"}},
  {"--node", {hub, "nodes"}},
  {"--project", {hub, "projects"}},
  {"shell", {fixed, "bash zsh fish"}},
  {"--wait", {fixed, "ack answer"}},
  {"--routing-preset", {fixed, "urgent-only urgent-action all"}},
  {"--until", {fixed, "human"}},
  {"path", {files, {}}},
  {"file", {files, {}}},
  {"--file", {files, {}}},
  {"--body-file", {files, {}}},
  {"--prompt-file", {files, {}}},
  {"--home", {files, {}}},
};

/// Those that mean something else with one command.
struct special_values {
  std::string_view command;
  std::string_view name;
  completion_values values;
};

const special_values by_command[] = {
  {"report",
   "state",
   {fixed,
    "started working waiting needs_input fixing_ci addressing_reviews "
    "pr_created draft_pr_created ready_for_review completed"}},
  {"task ls",
   "--state",
   {fixed,
    "blocked ready claimed in_review merged done failed cancelled parked"}},
  {"notify ls", "--state", {fixed, "pending accepted delivered dead"}},
  {"notify test", "--priority", {fixed, "urgent action warning info"}},
  {"summary", "--until", {}},
};

} // namespace

std::vector<std::string> spellings_of(const argument& what) {
  std::vector<std::string> out;
  for (std::size_t from = 0; from <= what.name.size();) {
    auto end = std::min(what.name.find(',', from), what.name.size());
    out.push_back(what.name.substr(from, end - from));
    from = end + 1;
  }
  return out;
}

bool takes_value(const argument& what) {
  return what.what == argument::kind::option
    || what.what == argument::kind::option_list;
}

completion_values values_of(const command& of, const argument& what) {
  for (const auto& name : spellings_of(what)) {
    for (const auto& s : by_command)
      if (s.command == of.name && s.name == name)
        return s.values;
    for (const auto& k : by_name)
      if (k.name == name)
        return k.values;
  }
  return {};
}

result<std::string> completion_script(std::string_view shell,
                                      const std::vector<command>& table) {
  if (shell == "bash")
    return bash_completion(table);
  if (shell == "zsh")
    return zsh_completion(table);
  if (shell == "fish")
    return fish_completion(table);
  return fail(ec::bad_input,
              "\"" + std::string{shell}
                + "\" is no shell that ao knows; expected bash, "
                  "zsh or fish");
}

} // namespace ao::cli
