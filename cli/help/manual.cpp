#include "cli/help/manual.hpp"

#include "cli/help/completion.hpp"
#include "runtime/config/value_rules.hpp"

namespace ao::cli {
namespace {

/// Text that roff takes literally: no escapes, no minus that becomes a hyphen,
/// and no line that begins with a request.
std::string plain(std::string_view text) {
  std::string out;
  for (char c : text) {
    if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n'))
      out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

std::string bold(std::string_view text) {
  return "\\fB" + plain(text) + "\\fR";
}

std::string slanted(std::string_view text) {
  return "\\fI" + plain(text) + "\\fR";
}

bool is_positional(const argument& what) {
  return what.what == argument::kind::positional
    || what.what == argument::kind::positional_list;
}

/// `[--needs TASK ...]`, `<session>`.
std::string usage_of(const argument& what) {
  std::string out;
  if (is_positional(what))
    out = slanted(what.name);
  else
    out = bold(spellings_of(what).back())
      + (takes_value(what) ? " " + slanted("VALUE") : std::string{});
  if (what.what == argument::kind::positional_list
      || what.what == argument::kind::option_list)
    out += " ...";
  return what.required ? out : "[" + out + "]";
}

std::string term_of(const argument& what) {
  if (is_positional(what))
    return slanted(what.name);
  std::string out;
  for (const auto& name : spellings_of(what))
    out += (out.empty() ? "" : ", ") + bold(name);
  return out + (takes_value(what) ? " " + slanted("VALUE") : std::string{});
}

std::string entry(const std::string& term, std::string_view text) {
  return ".TP\n" + term + "\n" + plain(text) + "\n";
}

std::string section_of(const command& one) {
  std::string out = ".SS " + bold("ao " + one.name);
  for (const auto& a : one.args)
    out += " " + usage_of(a);
  out += "\n" + plain(one.help) + ".\n";
  for (const auto& a : one.args)
    out += entry(term_of(a), a.help);
  return out;
}

struct exit_row {
  const char* code;
  const char* meaning;
};

const exit_row exits[] = {
  {"0", "Done."},
  {"1", "Failed."},
  {"2", "Used wrongly, or bad input; also a wrong configuration."},
  {"3", "Not found."},
  {"4", "Conflict: already claimed, a cycle, already running, closed."},
  {"5", "The hub does not run; ao start."},
  {"6", "Refused: not allowed, fenced, not ready."},
  {"7", "Timed out; repeating it with the same request id is safe."},
};

const exit_row variables[] = {
  {"AO_HOME", "Where everything is kept; ~/.ao if it is not set."},
  {"AO_CONFIG_PATH", "The configuration, instead of looking for one."},
  {"AO_SOCKET, AO_TOKEN", "Set within a session: who asks."},
  {"NO_COLOR", "No colours, whatever it holds."},
  {"COLUMNS", "The width of the terminal."},
};

std::string heading(const char* name, int section, std::string_view version,
                    const char* title) {
  return std::string{".TH "} + name + " " + std::to_string(section)
    + " \"\" \"ao " + std::string{version} + "\" \"" + title + "\"\n";
}

} // namespace

std::string command_manual(const std::vector<command>& table,
                           std::string_view version) {
  auto out = heading("AO", 1, version, "User commands");
  out += ".SH NAME\nao \\- run many coding agents and bring back merged work\n"
         ".SH SYNOPSIS\n"
    + bold("ao") + " " + slanted("COMMAND") + " [" + bold("--json") + "] ["
    + bold("-p") + " " + slanted("PROJECT") + "] ...\n";
  out += ".SH DESCRIPTION\n"
    + plain("ao starts a hub, which gives each agent a git worktree, a tmux "
            "session and exactly one task, has the work checked, reviewed and "
            "merged, and starts again what dies. Every command speaks to the "
            "hub of AO_HOME.")
    + "\n.SH OPTIONS\n";
  out += entry(bold("--json"), "Print JSON, errors as problem documents.");
  out += entry(bold("-p") + ", " + bold("--project") + " " + slanted("VALUE"),
               "The project; by default that of the working directory.");
  out += entry(bold("-h") + ", " + bold("--help"), "Say more of a command.");
  out += entry(bold("--version"), "Print the version.");
  out += ".SH COMMANDS\n";
  for (const auto& one : table)
    if (!one.hidden)
      out += section_of(one);
  out += ".SH EXIT STATUS\n";
  for (const auto& row : exits)
    out += entry(bold(row.code), row.meaning);
  out += ".SH ENVIRONMENT\n";
  for (const auto& row : variables)
    out += entry(bold(row.code), row.meaning);
  return out + ".SH SEE ALSO\n" + bold("ao.yaml") + "(5), " + bold("tmux")
    + "(1), " + bold("git") + "(1)\n";
}

std::string config_manual(const key_table& keys, std::string_view version) {
  auto out = heading("AO.YAML", 5, version, "File formats");
  out += ".SH NAME\nao.yaml \\- configuration of ao\n.SH DESCRIPTION\n"
    + plain("Looked for at AO_CONFIG_PATH, else upwards from the working "
            "directory as ao.yaml, agent-orchestrator.yaml or "
            "agent-orchestrator.yml, else in AO_HOME as config.yaml. ${NAME} "
            "stands for a variable of the environment. Below, * stands for a "
            "name of your own.")
    + "\n.PP\n"
    + plain("ao config check says what is wrong with it, ao config show where "
            "each value comes from; ao config reload has the hub read it "
            "again.")
    + "\n.SH KEYS\n";
  for (const auto& row : keys.rows()) {
    if (row.type == key_type::ignored)
      continue;
    auto text = row.doc;
    if (row.type != key_type::section && row.type != key_type::table) {
      text += " Expects " + expectation(row) + ".";
      if (!row.fallback.empty())
        text += " Default: " + row.fallback + ".";
      if (row.effect == takes_effect::next_session)
        text += " A change counts for the next session.";
      else if (row.effect == takes_effect::restart)
        text += " A change counts from the next start of the hub.";
    }
    if (!row.alias.empty())
      text += " Also read as " + row.alias + ".";
    out += entry(bold(row.pattern), text);
  }
  return out + ".SH SEE ALSO\n" + bold("ao") + "(1)\n";
}

} // namespace ao::cli
