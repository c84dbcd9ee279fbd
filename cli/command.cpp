#include "cli/command.hpp"

#include "ao_version.hpp"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <memory>

namespace ao::cli {
namespace {

std::string environment(const char* name) {
  const auto* value = std::getenv(name);
  return value ? value : "";
}

std::string directory_of_program() {
  char path[PATH_MAX];
  auto n = ::readlink("/proc/self/exe", path, sizeof path);
  if (n <= 0)
    return ".";
  std::string text(path, static_cast<std::size_t>(n));
  return text.substr(0, text.find_last_of('/'));
}

/// `--prompt-file,-f` -> `prompt-file`; `issue` -> `issue`.
std::string key_of(const std::string& name) {
  std::string out;
  for (std::size_t from = 0; from <= name.size();) {
    auto end = std::min(name.find(',', from), name.size());
    auto part = name.substr(from, end - from);
    part.erase(0, part.find_first_not_of('-'));
    if (part.size() > out.size())
      out = part;
    from = end + 1;
  }
  return out;
}

void add_argument(CLI::App& to, const argument& what, arguments& values) {
  using kind = argument::kind;
  auto key = key_of(what.name);
  CLI::Option* option = nullptr;
  auto put_all = [&values, key](const std::vector<std::string>& words) {
    for (const auto& word : words)
      values.put(key, word);
  };
  auto put_one
    = [&values, key](const std::string& word) { values.put(key, word); };
  switch (what.what) {
  case kind::flag:
    option = to.add_flag_function(
      what.name, [&values, key](std::int64_t) { values.put(key, ""); },
      what.help);
    break;
  case kind::positional:
  case kind::option:
    option = to.add_option_function<std::string>(what.name, put_one, what.help);
    break;
  case kind::option_list:
    option = to.add_option_function<std::vector<std::string>>(
                 what.name, put_all, what.help)
               ->allow_extra_args(false);
    break;
  case kind::positional_list:
    option = to.add_option_function<std::vector<std::string>>(
      what.name, put_all, what.help);
    break;
  }
  if (what.required)
    option->required();
}

/// What is given to every command.
struct common {
  bool json = false;
  std::string project;
};

void add_common(CLI::App& to, common& values) {
  to.add_flag("--json", values.json, "Print JSON");
  to.add_option("-p,--project", values.project, "The project");
}

/// The words of the first help page, before its commands.
constexpr const char* description
  = "ao runs many coding agents in parallel and brings back merged work.";

/// Lists the commands of a group in its one line, for the first page.
void describe_group(CLI::App& group, const std::string& word) {
  auto text = group.get_description();
  group.description(text.empty() ? "Commands: " + word : text + ", " + word);
}

/// `session` of `session ls`.
std::string_view first_word(const command& one) {
  return std::string_view{one.name}.substr(0, one.name.find(' '));
}

/// The parser made from the table.
class parser {
public:
  /// Where `word`, the first one of the command line, names commands, only
  /// those are there: to make all of them takes longer than most take to run.
  parser(const std::vector<command>& commands, std::string_view word)
      : root_{description, "ao"} {
    auto named = [word](const command& one) { return first_word(one) == word; };
    auto any = std::any_of(commands.begin(), commands.end(), named);
    root_.require_subcommand(1, 1);
    root_.set_version_flag("--version", "ao " AO_VERSION " (" AO_COMMIT ")",
                           "Print the version");
    root_.footer("ao COMMAND --help says more. Without a hub: ao start");
    add_common(root_, shared);
    for (const auto& one : commands)
      if (!any || named(one))
        add(one);
  }

  void parse(int argc, const char* const* argv) { root_.parse(argc, argv); }

  /// Prints help or version to `out`.
  int exit(const CLI::ParseError& why, std::ostream& out,
           std::ostream& err) const {
    return root_.exit(why, out, err);
  }

  common shared;
  arguments values;
  const command* chosen = nullptr;

private:
  void add(const command& one) {
    auto blank = one.name.find(' ');
    auto* parent = &root_;
    auto name = one.name;
    if (blank != std::string::npos) {
      parent = group(one.name.substr(0, blank));
      name = one.name.substr(blank + 1);
      describe_group(*parent, name);
    }
    auto* made = parent->add_subcommand(name, one.help);
    if (one.hidden)
      (parent == &root_ ? made : parent)->group("");
    add_common(*made, shared);
    for (const auto& argument : one.args)
      add_argument(*made, argument, values);
    made->callback([this, &one] { chosen = &one; });
  }

  /// The parent of `session ls`, made at its first command.
  CLI::App* group(const std::string& name) {
    auto*& made = groups_[name];
    if (!made) {
      made = root_.add_subcommand(name, "");
      made->require_subcommand(1, 1);
      add_common(*made, shared);
    }
    return made;
  }

  CLI::App root_;
  std::map<std::string, CLI::App*> groups_;
};

bool asks_for_json(int argc, const char* const* argv) {
  for (int i = 1; i < argc && std::string_view{argv[i]} != "--"; ++i)
    if (std::string_view{argv[i]} == "--json")
      return true;
  return false;
}

/// The words of the command line that name a command of the table, for the
/// hint: `ao spawn --help`.
std::string help_of(int argc, const char* const* argv) {
  std::string best;
  for (const auto& one : command_table()) {
    std::string words = argc > 1 ? argv[1] : "";
    if (one.name.find(' ') != std::string::npos && argc > 2)
      words += std::string{" "} + argv[2];
    if (one.name == words)
      best = " " + one.name;
  }
  return "ao" + best + " --help";
}

/// Help and version are no errors; everything else is usage.
int finish_parsing(const CLI::ParseError& why, const parser& with, int argc,
                   const char* const* argv, output& out) {
  if (why.get_exit_code() == 0) {
    std::ostringstream text;
    with.exit(why, text, text);
    out.set_json(false);
    auto lines = text.str();
    for (std::size_t from = 0; from < lines.size();) {
      auto end = std::min(lines.find('\n', from), lines.size());
      out.line(lines.substr(from, end - from));
      from = end + 1;
    }
    return 0;
  }
  auto text = std::string{why.what()};
  if (dynamic_cast<const CLI::ExtrasError*>(&why))
    text += " (put text of several words in quotes)";
  out.report(error{ec::bad_input, text});
  out.note("next: " + help_of(argc, argv));
  return info(ec::bad_input).exit_code;
}

} // namespace

bool arguments::has(const std::string& name) const {
  return values_.count(name) > 0;
}

std::string arguments::text(const std::string& name) const {
  return maybe(name).value_or("");
}

std::optional<std::string> arguments::maybe(const std::string& name) const {
  auto found = values_.find(name);
  if (found == values_.end() || found->second.empty())
    return std::nullopt;
  return found->second.back();
}

std::vector<std::string> arguments::list(const std::string& name) const {
  auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>{} : found->second;
}

result<std::uint64_t> arguments::number(const std::string& name,
                                        std::uint64_t otherwise) const {
  auto text = maybe(name);
  if (!text)
    return otherwise;
  std::uint64_t out = 0;
  const auto* end = text->data() + text->size();
  auto [stop, bad] = std::from_chars(text->data(), end, out);
  if (bad != std::errc{} || stop != end || text->empty())
    return fail(ec::bad_input,
                "--" + name + ": \"" + *text + "\" is not a whole number");
  return out;
}

result<milliseconds> arguments::duration(const std::string& name,
                                         milliseconds otherwise) const {
  auto text = maybe(name);
  if (!text)
    return otherwise;
  auto out = parse_duration(*text);
  if (!out)
    return fail(ec::bad_input, "--" + name + ": " + out.error().context);
  return *out;
}

void arguments::put(const std::string& name, std::string value) {
  values_[name].emplace_back(std::move(value));
}

home invocation::where() const {
  return locate_home(home_path_from_environment());
}

bool invocation::in_session() const {
  return !environment("AO_SOCKET").empty() && !environment("AO_TOKEN").empty();
}

http::api_client invocation::api() const {
  if (in_session())
    return http::api_client{environment("AO_SOCKET"), environment("AO_TOKEN")};
  return http::api_client{where().hub_socket()};
}

int run_ao(int argc, const char* const* argv, output& out) {
  parser with{command_table(), argc > 1 ? argv[1] : ""};
  out.set_json(asks_for_json(argc, argv));
  try {
    with.parse(argc, argv);
  } catch (const CLI::ParseError& why) {
    return finish_parsing(why, with, argc, argv, out);
  }
  out.set_json(with.shared.json);
  invocation what{with.chosen->name,
                  std::move(with.values),
                  with.shared.project,
                  with.shared.json,
                  out,
                  directory_of_program()};
  outcome done;
  try {
    done = with.chosen->run(what);
  } catch (const nlohmann::json::exception& thrown) {
    done = fail(ec::protocol_mismatch,
                std::string{"the hub's answer is of another version: "}
                  + thrown.what());
  }
  if (done)
    return *done;
  out.report(done.error());
  return info(done.error().code).exit_code;
}

} // namespace ao::cli
