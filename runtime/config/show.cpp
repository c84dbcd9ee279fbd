#include "runtime/config/show.hpp"

#include <algorithm>
#include <functional>

namespace ao {
namespace {

using value_map = std::map<std::string, checked_value>;

std::string list_text(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const auto& item : items)
    out += (out.size() > 1 ? ", " : "") + item;
  return out + "]";
}

/// `MY_API_KEY`, `token`, …: a value under such a name is not shown.
bool sounds_secret(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  for (auto word : {"token", "secret", "password", "passwd", "apikey",
                    "api_key", "_key", "credential", "authorization"})
    if (name.find(word) != name.npos)
      return true;
  return false;
}

/// Whether secrets are shown.
enum class secrecy { hidden, open };

std::string map_text(const checked_value& v, secrecy how) {
  std::string out = "{";
  for (const auto& [name, text] : v.pairs)
    out += (out.size() > 1 ? ", " : "") + name + ": "
      + (how == secrecy::hidden && (v.row->secret || sounds_secret(name))
           ? "***"
           : text);
  return out + "}";
}

std::string value_text(const checked_value& v, secrecy how) {
  switch (v.row->type) {
  case key_type::text_map:
    return map_text(v, how);
  case key_type::texts:
  case key_type::durations:
  case key_type::command:
  case key_type::inner_paths:
  case key_type::notifiers:
  case key_type::variables:
    return list_text(v.items);
  default:
    return how == secrecy::hidden && v.row->secret && !v.text.empty() ? "***"
                                                                      : v.text;
  }
}

class shower {
public:
  shower(const settings& all, const value_map& values, const std::string& file)
      : all_(all), values_(values), file_(file) {}

  std::vector<config_value> run() {
    for (const auto* row : config_keys().below(""))
      show(*row, row->pattern);
    return std::move(out_);
  }

private:
  void show(const key_row& row, const std::string& path) {
    if (row.type == key_type::table) {
      for (const auto& name : names_of(row.pattern, path))
        show(*config_keys().find(row.pattern + ".*"), path + "." + name);
    } else if (row.type == key_type::section) {
      if (absent_means_something(row) && values_.count(path) == 0)
        return;
      for (const auto* below : config_keys().below(row.pattern))
        show(*below, path + "." + std::string{last_part(below->pattern)});
    } else if (row.type != key_type::ignored) {
      show_value(row, path);
    }
  }

  static bool absent_means_something(const key_row& row) {
    auto name = last_part(row.pattern);
    return name == "ci" || name == "reviewer" || name == "tracker"
      || name == "webhook"
      || (name == "agentConfig" && row.pattern != "projects.*.agentConfig");
  }

  std::vector<std::string> names_of(const std::string& pattern,
                                    const std::string& path) const {
    std::vector<std::string> names;
    if (pattern == "projects")
      for (const auto& [id, p] : all_.projects)
        names.push_back(id.text);
    else if (pattern == "notifiers")
      for (const auto& [id, n] : all_.notifiers)
        names.push_back(id);
    else
      for (const auto& [key, v] : values_)
        if (key.size() > path.size() + 1
            && key.compare(0, path.size() + 1, path + ".") == 0
            && key.find('.', path.size() + 1) == key.npos)
          names.push_back(key.substr(path.size() + 1));
    return names;
  }

  void show_value(const key_row& row, const std::string& path) {
    auto at = values_.find(path);
    if (at != values_.end()) {
      add(row, path, value_text(at->second, secrecy::hidden),
          value_text(at->second, secrecy::open), source_of(path));
      return;
    }
    auto derived = derived_value(row, path);
    if (!derived.empty())
      add(row, path, row.secret ? "***" : derived, derived, "derived");
    else if (!row.fallback.empty())
      add(row, path, row.fallback, row.fallback, "default");
  }

  void add(const key_row& row, const std::string& path, std::string value,
           const std::string& open, std::string source) {
    out_.push_back({path, std::move(value), std::move(source), row.effect,
                    std::hash<std::string>{}(open)});
  }

  std::string source_of(const std::string& path) const {
    const auto& v = values_.at(path);
    auto source = file_ + ":" + std::to_string(v.key_at.line);
    for (auto end = path.find('.');; end = path.find('.', end + 1)) {
      auto above = values_.find(path.substr(0, end));
      if (above != values_.end() && !above->second.alias.empty())
        source += " (as " + above->second.alias + ")";
      if (end == path.npos)
        return source;
    }
  }

  /// What follows from other things than a key and the table.
  std::string derived_value(const key_row& row, const std::string& path) {
    auto name = last_part(row.pattern);
    auto first = path.find('.');
    if (first == path.npos)
      return path == "defaults.agent" ? all_.defaults.agent : "";
    auto second = path.find('.', first + 1);
    auto subject = path.substr(first + 1, second - first - 1);
    if (row.pattern == "defaults.agent")
      return all_.path.empty() ? all_.defaults.agent : "";
    auto project = all_.projects.find(project_id{subject});
    if (row.pattern.compare(0, 11, "projects.*.") == 0
        && project != all_.projects.end())
      return of_project(row.pattern, project->second);
    auto notifier = all_.notifiers.find(subject);
    if (row.pattern.compare(0, 12, "notifiers.*.") == 0
        && notifier != all_.notifiers.end()) {
      if (name == "plugin")
        return notifier->second.plugin;
      if (name == "url")
        return notifier->second.url;
      if (name == "token")
        return notifier->second.token;
    }
    return {};
  }

  std::string of_project(const std::string& pattern,
                         const project_settings& p) const {
    auto key = pattern.substr(11);
    if (key == "path")
      return p.path.string();
    if (key == "name")
      return p.name;
    if (key == "repo")
      return p.repo;
    if (key == "sessionPrefix")
      return p.session_prefix;
    if (key == "defaultBranch" && all_.path.empty())
      return p.default_branch;
    if (key == "merge.auto")
      return merges_by_itself(all_, p) ? "true" : "false";
    return {};
  }

  const settings& all_;
  const value_map& values_;
  const std::string& file_;
  std::vector<config_value> out_;
};

} // namespace

std::vector<config_value> show_config(const settings& all,
                                      const value_map& values,
                                      const std::string& file) {
  return shower{all, values, file}.run();
}

std::vector<std::string> secrets_in(const settings& all,
                                    const env_lookup& env) {
  std::vector<std::string> out;
  auto add = [&](const std::string& secret) {
    if (!secret.empty())
      out.push_back(secret);
  };
  for (const auto& [id, n] : all.notifiers) {
    add(n.token);
    add(n.secret);
    // Who knows the address of an incoming webhook may use it.
    if (n.plugin == "slack")
      add(n.url);
    for (const auto& [name, value] : n.headers)
      add(value);
  }
  for (const auto& [name, agent] : all.agents)
    for (const auto& [key, value] : agent.env)
      if (sounds_secret(key))
        add(value);
  for (const auto& [id, p] : all.projects) {
    add(env(p.forge.token_env).value_or(""));
    if (p.forge.webhook)
      add(env(p.forge.webhook->secret_env).value_or(""));
  }
  // In the hub's environment whether anything names them or not.
  for (const auto* name :
       {"OPENCLAW_HOOKS_TOKEN", "OPENCLAW_GATEWAY_TOKEN", "TELEGRAM_BOT_TOKEN",
        "SLACK_BOT_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN",
        "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN",
        "OPENAI_API_KEY", "CODEX_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY",
        "OPENROUTER_API_KEY", "CURSOR_API_KEY", "NPM_TOKEN",
        "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})
    add(env(name).value_or(""));
  return out;
}

} // namespace ao
