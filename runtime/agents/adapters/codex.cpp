#include "messages/json.hpp"
#include "runtime/agents/adapter.hpp"
#include "runtime/agents/probe.hpp"

#include <algorithm>
#include <fstream>

namespace ao {
namespace {

/// A string of TOML: JSON's escapes are among TOML's.
std::string quoted(const std::string& text) {
  return dump(json(text));
}

/// codex asks whether to trust a folder that it does not know, also when it
/// may do everything: answered by a flag, the user's configuration stays.
std::string trusts(const std::string& folder) {
  return "projects={" + quoted(folder) + "={trust_level=\"trusted\"}}";
}

result<void> add(const launch_wish& wish, launch_additions& out) {
  auto option = [&](const std::string& value) {
    out.argv.push_back("-c");
    out.argv.push_back(value);
  };
  option(trusts(wish.worktree));
  if (!wish.rules.empty())
    option("developer_instructions=" + quoted(wish.rules));
  if (wish.talk.begun()) {
    out.argv.push_back("resume");
    out.argv.push_back(wish.talk.id);
  }
  return {};
}

std::string home_of(const environment& env) {
  auto set = env.get("CODEX_HOME");
  return set.empty() ? env.get("HOME") + "/.codex" : set;
}

/// Whether the user has a provider of models that needs no login of codex:
/// `login status` knows of codex's own only.
bool has_own_provider(const std::string& home) {
  std::ifstream in{home + "/config.toml"};
  bool own = false, needs_login = false;
  for (std::string line; std::getline(in, line);) {
    line.erase(std::remove(line.begin(), line.end(), ' '), line.end());
    if (line.rfind("model_provider=", 0) == 0)
      own = line.rfind("model_provider=\"openai\"", 0) != 0;
    needs_login |= line.rfind("requires_openai_auth=true", 0) == 0;
  }
  return own && !needs_login;
}

agent_readiness probe(const std::string& program, const environment& env,
                      const std::string& directory) {
  auto home = home_of(env);
  auto file = home + "/auth.json";
  if (auto why = why_not_usable(file); !why.empty())
    return {false, why, "auth"};
  auto asked = ask_program({program, "login", "status"}, env, directory);
  if (!asked.ended)
    return {false, asked.words};
  if (asked.code == 0 || has_own_provider(home))
    return {true, {}};
  return {false,
          "codex says \"" + asked.words + "\" (" + about_file(file)
            + "); run `codex login` as this user",
          "auth"};
}

agent_adapter make() {
  agent_adapter a;
  a.name = "codex";
  a.program = "codex";
  a.tested = "0.169.0 - 0.171.0";
  a.variables
    = {"CODEX_HOME",    "OPENAI_API_KEY", "CODEX_API_KEY", "OPENAI_BASE_URL",
       "SSL_CERT_FILE", "HTTPS_PROXY",    "HTTP_PROXY",    "NO_PROXY",
       "https_proxy",   "http_proxy",     "no_proxy"};
  a.settings = {{"CODEX_DISABLE_UPDATE_CHECK", "1"}};
  // Its daemon would keep the work when the session is ended, and give one
  // session's environment to another.
  a.arguments = {"--disable", "daemon_auto_start", "-c",
                 "check_for_update_on_startup=false",
                 // A login shell makes a PATH of its own, without ao.
                 "-c", "allow_login_shell=false"};
  a.permissions[0] = {"--dangerously-bypass-approvals-and-sandbox"};
  a.permissions[2]
    = {"--ask-for-approval", "never", "--sandbox", "workspace-write"};
  a.permissions[3]
    = {"--ask-for-approval", "on-request", "--sandbox", "read-only"};
  a.model_option = "--model";
  a.before_prompt = {"--"};
  // Its commands go on as "background terminals".
  a.kept = {"/stop to close", "/stop"};
  a.resumes = true;
  a.transcript = transcript_kind::codex;
  a.add = add;
  a.probe = probe;
  return a;
}

} // namespace

const agent_adapter& codex_adapter() {
  static const auto adapter = make();
  return adapter;
}

} // namespace ao
