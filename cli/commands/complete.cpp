#include "ao_version.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "cli/help/completion.hpp"
#include "cli/help/manual.hpp"

#include <cstdio>

namespace ao::cli {
namespace {

using nlohmann::json;

/// What a shell may ask for, and where it is found.
struct list_of_words {
  std::string_view name;
  std::string_view target;
  std::string_view member;
};

constexpr list_of_words lists[] = {
  {"sessions", "/sessions", "id"},
  {"tasks", "/tasks", "id"},
  {"changes", "/changes", "id"},
  {"incidents", "/incidents", "id"},
  {"notifications", "/notifications", "id"},
  {"nodes", "/nodes", "name"},
  {"logged", "/sessions", "id"},
  {"logged", "/changes", "id"},
  {"subjects", "/tasks", "id"},
  {"subjects", "/sessions", "id"},
};

/// Longer than this nobody waits for a key.
constexpr milliseconds patience{2'000};

void print_words(const json& rows, std::string_view member) {
  for (const auto& row : rows)
    if (auto word = text_at(row, member); !word.empty())
      std::printf("%s\n", sanitize(word).c_str());
}

/// The names in the configuration of the hub: of projects, agents, notifiers.
void print_configured(invocation& what, const std::string& kind) {
  auto answer
    = what.api().call("GET", api_root + "/config", nullptr, {}, patience);
  if (!answer)
    return;
  const auto entries = answer->body.value(kind, json::array());
  for (const auto& [name, entry] : entries.items()) {
    auto id = text_at(entry, "id");
    auto word = !id.empty() ? id : text_at(entry, "name");
    std::printf("%s\n", sanitize(word.empty() ? name : word).c_str());
  }
}

/// Written as it is: a document for another program.
void print_text(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

} // namespace

outcome run_completion(invocation& what) {
  auto script = completion_script(what.args.text("shell"), command_table());
  if (!script)
    return fail(script.error());
  print_text(*script);
  return 0;
}

/// Whatever goes wrong, a shell that completes wants no error.
outcome run_complete(invocation& what) {
  auto kind = what.args.text("kind");
  for (const auto& list : lists)
    if (list.name == kind)
      if (auto answer = what.api().call(
            "GET", api_root + std::string{list.target}, nullptr, {}, patience))
        print_words(answer->body.value("data", json::array()), list.member);
  if (kind == "projects" || kind == "agents" || kind == "notifiers")
    print_configured(what, kind);
  return 0;
}

outcome run_manual(invocation& what) {
  auto page = what.args.text("page");
  if (page == "ao.1")
    print_text(command_manual(command_table(), AO_VERSION));
  else if (page == "ao.yaml.5")
    print_text(config_manual(config_keys(), AO_VERSION));
  else
    return fail(ec::bad_input,
                "\"" + page + "\" is no page, expected ao.1 or ao.yaml.5");
  return 0;
}

} // namespace ao::cli
