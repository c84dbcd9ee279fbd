#include "cli/help/shells.hpp"

#include <algorithm>

namespace ao::cli {
namespace {

/// The options that every command has.
const std::vector<next_word> common_options = {{"--json", "Print JSON"},
                                               {"--project", "The project"},
                                               {"--help", "Say more"}};

std::string joined(const std::vector<std::string>& words, const char* by) {
  std::string out;
  for (const auto& word : words)
    out += (out.empty() ? "" : by) + word;
  return out;
}

bool is_positional(const argument& what) {
  return what.what == argument::kind::positional
    || what.what == argument::kind::positional_list;
}

/// The options of a command, one of each spelling.
std::vector<next_word> options_of(const command& one) {
  std::vector<next_word> out;
  for (const auto& a : one.args)
    if (!is_positional(a))
      for (const auto& name : spellings_of(a))
        out.push_back({name, a.help});
  out.insert(out.end(), common_options.begin(), common_options.end());
  return out;
}

/// The first positional argument whose values are known.
completion_values positional_values(const command& one) {
  for (const auto& a : one.args)
    if (is_positional(a))
      if (auto values = values_of(one, a); values.from != word_source::none)
        return values;
  return {};
}

/// `spawn:--agent|spawn:-a` for the cases of one option.
std::string option_pattern(const command& one, const argument& what) {
  std::vector<std::string> out;
  for (const auto& name : spellings_of(what))
    out.push_back("'" + one.name + ":" + name + "'");
  return joined(out, "|");
}

/// The lines that find out which command is being written: the loop goes over
/// the words before the present one.
std::string walk(const command_tree& tree, const char* loop, const char* word) {
  return std::string{"  local command='' word before=''\n"} + loop
    + "    word=" + word
    + "\n"
      "    case \"$before\" in -p|--project) before=$word; continue ;; esac\n"
      "    before=$word\n"
      "    [[ $word == -* ]] && continue\n"
      "    case \"$command\" in\n"
      "      '') command=$word ;;\n"
      "      "
    + joined(tree.groups, "|")
    + ") command=\"$command $word\" ;;\n"
      "    esac\n"
      "  done\n";
}

/// What bash and zsh write differently within the same cases.
struct case_writer {
  const char* options_indent;
  const char* words_indent;
  /// Ends of a case: the values of an argument, and the words of a group.
  std::string (*values)(const completion_values&);
  std::string (*words)(const std::string& group, const std::vector<next_word>&);
};

/// What follows each option that takes a value.
std::string option_cases(const command_tree& tree, const case_writer& shell) {
  auto out = shell.options_indent + std::string{"*:-p|*:--project) "}
    + shell.values({word_source::hub, "projects"});
  for (const auto* one : tree.commands)
    for (const auto& a : one->args)
      if (takes_value(a))
        out += shell.options_indent + option_pattern(*one, a) + ") "
          + shell.values(values_of(*one, a));
  return out;
}

/// What may stand in the place of the present word.
std::string word_cases(const command_tree& tree, const case_writer& shell) {
  std::string out;
  auto begin = [&](const std::string& name, const char* rest) {
    out += shell.words_indent + ("'" + name) + rest + ") ";
  };
  for (const auto& [group, next] : tree.next) {
    begin(group, ":'*");
    out += shell.words(group, next);
  }
  for (const auto* one : tree.commands) {
    begin(one->name, ":-'*");
    out += shell.words(one->name, options_of(*one));
    auto values = positional_values(*one);
    if (values.from == word_source::none)
      continue;
    begin(one->name, ":'*");
    out += shell.values(values);
  }
  return out;
}

// -- bash ---------------------------------------------------------------------

std::string words_only(const std::vector<next_word>& all) {
  std::vector<std::string> out;
  for (const auto& one : all)
    out.push_back(one.word);
  return joined(out, " ");
}

std::string bash_values(const completion_values& values) {
  switch (values.from) {
  case word_source::files:
    return "compopt -o default 2>/dev/null; COMPREPLY=(); return";
  case word_source::fixed:
    return "words=" + in_quotes(values.words);
  case word_source::hub:
    return "words=$(\"${COMP_WORDS[0]}\" __complete " + values.words
      + " 2>/dev/null)";
  case word_source::none:
    break;
  }
  return "return";
}

const case_writer bash_cases{
  "    ", "      ",
  [](const completion_values& values) { return bash_values(values) + " ;;\n"; },
  [](const std::string& group, const std::vector<next_word>& all) {
    return "words='" + words_only(all)
      + (group.empty() ? " --version --help" : "") + "' ;;\n";
  }};

// -- zsh ----------------------------------------------------------------------

/// `'start:Start the hub'`: a colon ends the word.
std::string zsh_list(const std::vector<next_word>& all) {
  std::string out;
  for (const auto& one : all)
    out += " " + in_quotes(one.word + ":" + one.help);
  return out;
}

std::string zsh_values(const completion_values& values) {
  switch (values.from) {
  case word_source::files:
    return "_files";
  case word_source::fixed:
    return "compadd -- " + values.words;
  case word_source::hub:
    return "compadd -- ${(f)\"$(${words[1]} __complete " + values.words
      + " 2>/dev/null)\"}";
  case word_source::none:
    break;
  }
  return "return 1";
}

const case_writer zsh_cases{
  "    ", "    ",
  [](const completion_values& values) {
    return zsh_values(values) + "; return ;;\n";
  },
  [](const std::string&, const std::vector<next_word>& all) {
    return "list=(" + zsh_list(all) + ") ;;\n";
  }};

// -- fish ---------------------------------------------------------------------

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text)
    out += c == '\'' || c == '\\' ? std::string{'\\', c} : std::string{c};
  return out + "'";
}

std::string fish_values(const completion_values& values) {
  switch (values.from) {
  case word_source::files:
    return " -r -F";
  case word_source::fixed:
    return " -x -a " + fish_quoted(values.words);
  case word_source::hub:
    return " -x -a '(ao __complete " + values.words + " 2>/dev/null)'";
  case word_source::none:
    break;
  }
  return " -x";
}

std::string fish_option(const command& one, const argument& what) {
  std::string out = "complete -c ao -n \"__ao_is '" + one.name + "'\"";
  for (const auto& name : spellings_of(what))
    out += name.compare(0, 2, "--") == 0 ? " -l " + name.substr(2)
                                         : " -s " + name.substr(1);
  if (takes_value(what))
    out += fish_values(values_of(one, what));
  return out + " -d " + fish_quoted(what.help) + "\n";
}

} // namespace

command_tree tree_of(const std::vector<command>& table) {
  command_tree out;
  for (const auto& one : table) {
    if (one.hidden)
      continue;
    out.commands.push_back(&one);
    auto blank = one.name.find(' ');
    if (blank == std::string::npos) {
      out.next[""].push_back({one.name, one.help});
      continue;
    }
    auto group = one.name.substr(0, blank);
    if (std::find(out.groups.begin(), out.groups.end(), group)
        == out.groups.end()) {
      out.groups.push_back(group);
      out.next[""].push_back({group, "Commands of " + group});
    }
    out.next[group].push_back({one.name.substr(blank + 1), one.help});
  }
  return out;
}

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (char c : text)
    out += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return out + "'";
}

std::string bash_completion(const std::vector<command>& table) {
  auto tree = tree_of(table);
  return "# Made by `ao completion bash`; to be sourced, or put into\n"
         "# /usr/share/bash-completion/completions/ao.\n"
         "_ao() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]}\n"
         "  local prev=${COMP_WORDS[COMP_CWORD-1]} words='' i\n"
    + walk(tree, "  for ((i = 1; i < COMP_CWORD; i++)); do\n",
           "${COMP_WORDS[i]}")
    + "  case \"$command:$prev\" in\n" + option_cases(tree, bash_cases)
    + "    *) case \"$command:$cur\" in\n" + word_cases(tree, bash_cases)
    + "      esac ;;\n"
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
      "}\n"
      "complete -F _ao ao\n";
}

std::string zsh_completion(const std::vector<command>& table) {
  auto tree = tree_of(table);
  return "#compdef ao\n"
         "# Made by `ao completion zsh`; to be sourced after compinit, or put\n"
         "# as _ao into a directory of $fpath.\n"
         "_ao() {\n"
         "  local cur=${words[CURRENT]} prev=${words[CURRENT-1]} i\n"
         "  local -a list\n"
    + walk(tree, "  for ((i = 2; i < CURRENT; i++)); do\n", "${words[i]}")
    + "  case \"$command:$prev\" in\n" + option_cases(tree, zsh_cases)
    + "  esac\n"
      "  case \"$command:$cur\" in\n"
    + word_cases(tree, zsh_cases)
    + "  esac\n"
      "  _describe 'ao' list\n"
      "}\n"
      "if [[ $funcstack[1] == _ao ]]; then _ao \"$@\"; else compdef _ao ao; "
      "fi\n";
}

std::string fish_completion(const std::vector<command>& table) {
  auto tree = tree_of(table);
  std::string out
    = "# Made by `ao completion fish`; to be sourced, or put into\n"
      "# ~/.config/fish/completions/ao.fish.\n"
      "function __ao_is\n"
      "  set -l command ''\n"
      "  set -l before ''\n"
      "  set -l words (commandline -opc)\n"
      "  for word in $words[2..-1]\n"
      "    set -l after $before\n"
      "    set before $word\n"
      "    string match -q -r -- '^(-p|--project)$' \"$after\"; and continue\n"
      "    string match -q -- '-*' $word; and continue\n"
      "    switch \"$command\"\n"
      "      case ''\n"
      "        set command $word\n"
      "      case "
    + joined(tree.groups, " ")
    + "\n"
      "        set command \"$command $word\"\n"
      "    end\n"
      "  end\n"
      "  test \"$command\" = \"$argv[1]\"\n"
      "end\n"
      "complete -c ao -f\n"
      "complete -c ao -l json -d 'Print JSON'\n"
      "complete -c ao -l help -s h -d 'Say more'\n"
      "complete -c ao -l project -s p -d 'The project'"
    + fish_values({word_source::hub, "projects"}) + "\n";
  for (const auto& [group, next] : tree.next)
    for (const auto& one : next)
      out += "complete -c ao -n \"__ao_is '" + group + "'\" -a "
        + fish_quoted(one.word) + " -d " + fish_quoted(one.help) + "\n";
  for (const auto* one : tree.commands) {
    if (auto values = positional_values(*one); values.from != word_source::none)
      out += "complete -c ao -n \"__ao_is '" + one->name + "'\""
        + (values.from == word_source::files ? " -F"
             : values.from == word_source::hub
             ? " -a '(ao __complete " + values.words + " 2>/dev/null)'"
             : " -a " + fish_quoted(values.words))
        + "\n";
    for (const auto& a : one->args)
      if (!is_positional(a))
        out += fish_option(*one, a);
  }
  return out;
}

} // namespace ao::cli
