#include "messages/json.hpp"
#include "runtime/agents/adapter.hpp"
#include "runtime/agents/probe.hpp"
#include "runtime/home/files.hpp"
#include "runtime/rules/change_texts.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace ao {
namespace {

namespace fs = std::filesystem;

/// How the program remembers a key that it may use.
constexpr std::size_t remembered_of_key = 20;

std::string directory_of(const environment& env) {
  auto set = env.get("CLAUDE_CONFIG_DIR");
  return set.empty() ? env.get("HOME") + "/.claude" : set;
}

/// Beside the directory, or in it when that is named.
std::string state_file_of(const environment& env) {
  auto set = env.get("CLAUDE_CONFIG_DIR");
  return set.empty() ? env.get("HOME") + "/.claude.json"
                     : set + "/.claude.json";
}

json state_of(const environment& env) {
  auto text = read_file(state_file_of(env));
  auto state = text ? json::parse(*text, nullptr, false) : json::object();
  return state.is_object() ? state : json::object();
}

bool is_onboarded(const json& state) {
  auto at = state.find("hasCompletedOnboarding");
  return at != state.end() && *at == true;
}

std::string end_of_key(const environment& env) {
  auto key = env.get("ANTHROPIC_API_KEY");
  return key.size() > remembered_of_key
    ? key.substr(key.size() - remembered_of_key)
    : key;
}

bool is_approved(const json& state, const std::string& key_end) {
  auto at = state.find("customApiKeyResponses");
  if (at == state.end() || !at->is_object())
    return false;
  const auto& approved = at->value("approved", json::array());
  return approved.is_array()
    && std::find(approved.begin(), approved.end(), key_end) != approved.end();
}

/// The program asks a newcomer for a theme and a login, and about each new key
/// of the environment; its answers are in a file of the user's, which is not
/// ours to write. So who comes by a key, and has not answered, gets a
/// configuration directory of the session: links to all but that file and the
/// file of the login. That one the program replaces as a whole when it renews
/// a login, so that behind a link the renewed one would be lost to everybody
/// else; a login of the user therefore is used where it is, without any
/// directory of ours.
void answer_dialogs(const std::string& directory, launch_additions& out) {
  auto state = state_of(out.env);
  auto key = end_of_key(out.env);
  auto login = directory_of(out.env) + "/.credentials.json";
  std::error_code none;
  auto asks_about_key = !key.empty() && !is_approved(state, key);
  auto asks_newcomer = !is_onboarded(state) && !fs::exists(login, none);
  // Once made it stays: its conversation is there.
  auto ours = directory + "/claude";
  if (!asks_about_key && !asks_newcomer && !fs::exists(ours, none))
    return;
  state["hasCompletedOnboarding"] = true;
  if (!key.empty() && !is_approved(state, key)) {
    auto& answers = state["customApiKeyResponses"];
    if (!answers.is_object())
      answers = json{{"rejected", json::array()}};
    if (!answers["approved"].is_array())
      answers["approved"] = json::array();
    answers["approved"].push_back(key);
  }
  launch_additions::overlay overlay;
  overlay.path = ours;
  overlay.from = directory_of(out.env);
  overlay.leave_out = {".claude.json", ".credentials.json", "projects"};
  overlay.own = {{".claude.json", dump(state)}};
  out.configuration = std::move(overlay);
  out.env.set("CLAUDE_CONFIG_DIR", ours);
}

/// What it tells of a wait for a person goes into a file of the session. The
/// user's own hooks run beside it.
json hooks_into(const std::string& directory) {
  auto command = shown_command(
    {"sh", "-c", "cat >> \"$0\" && echo >> \"$0\"", calls_file(directory)});
  json hook{{"type", "command"}, {"command", command}, {"timeout", 5}};
  json notified{{"hooks", json::array({std::move(hook)})}};
  return {{"Notification", json::array({std::move(notified)})}};
}

result<void> add(const launch_wish& wish, launch_additions& out) {
  // The worktree is trusted: it is of a project that the user has named.
  out.env.set("CLAUDE_CODE_SANDBOXED", "1");
  // As root it refuses to work unasked anywhere but in a sandbox.
  if (wish.config.permissions == agent_permissions::permissionless
      && ::geteuid() == 0)
    out.env.set("IS_SANDBOX", "1");
  out.argv.push_back("--settings");
  out.argv.push_back(dump(json{{"skipDangerousModePermissionPrompt", true},
                               {"hooks", hooks_into(wish.directory)}}));
  if (!wish.rules.empty()) {
    out.argv.push_back("--append-system-prompt");
    out.argv.push_back(wish.rules);
  }
  out.argv.push_back(wish.talk.begun() ? "--resume" : "--session-id");
  out.argv.push_back(wish.talk.id);
  return {};
}

agent_readiness probe(const std::string& program, const environment& env,
                      const std::string& directory) {
  auto file = directory_of(env) + "/.credentials.json";
  if (auto why = why_not_usable(file); !why.empty())
    return {false, why, "auth"};
  // A key counts when the program may use it, which ours may; asked, it would
  // not know that.
  if (!env.get("ANTHROPIC_API_KEY").empty())
    return {true, {}};
  auto asked = ask_program({program, "auth", "status"}, env, directory);
  if (!asked.ended)
    return {false, asked.words};
  auto status = json::parse(asked.out, nullptr, false);
  if (asked.code == 0
      || (status.is_object() && status.value("loggedIn", false)))
    return {true, {}};
  return {false,
          "claude is not logged in (" + about_file(file)
            + "); run `claude auth login` as this user",
          "auth"};
}

agent_adapter make() {
  agent_adapter a;
  a.name = "claude-code";
  a.program = "claude";
  a.tested = "2.1.197 - 2.1.330";
  a.variables = {"CLAUDE_CONFIG_DIR",
                 "ANTHROPIC_API_KEY",
                 "ANTHROPIC_AUTH_TOKEN",
                 "ANTHROPIC_BASE_URL",
                 "ANTHROPIC_MODEL",
                 "CLAUDE_CODE_OAUTH_TOKEN",
                 "CLAUDE_CODE_USE_BEDROCK",
                 "CLAUDE_CODE_USE_VERTEX",
                 "NODE_EXTRA_CA_CERTS",
                 "HTTPS_PROXY",
                 "HTTP_PROXY",
                 "NO_PROXY",
                 "https_proxy",
                 "http_proxy",
                 "no_proxy"};
  // A session of ours is not one within another.
  a.settings = {{"CLAUDECODE", ""},
                {"DISABLE_AUTOUPDATER", "1"},
                {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"}};
  a.permissions[0] = {"--dangerously-skip-permissions"};
  a.permissions[2] = {"--permission-mode", "acceptEdits"};
  a.permissions[3] = {"--permission-mode", "plan"};
  a.model_option = "--model";
  a.before_prompt = {"--"};
  a.resumes = true;
  a.transcript = transcript_kind::claude_code;
  a.calls = true;
  a.configure = answer_dialogs;
  a.add = add;
  a.probe = probe;
  return a;
}

} // namespace

const agent_adapter& claude_code_adapter() {
  static const auto adapter = make();
  return adapter;
}

} // namespace ao
