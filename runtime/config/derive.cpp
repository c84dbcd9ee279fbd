#include "runtime/config/load.hpp"
#include "runtime/config/show.hpp"
#include "runtime/config/value_rules.hpp"

#include <algorithm>

namespace ao {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string text) {
  for (auto& c : text)
    c = lower(c);
  return text;
}

/// `text` with what no id may hold left out; never empty.
std::string as_identifier(const std::string& text) {
  std::string out;
  for (char c : text)
    if (is_identifier(std::string_view{&c, 1}) || (c == '-' && !out.empty()))
      out += c;
  return out.empty() ? "project" : out;
}

std::string directory_name(const std::filesystem::path& directory) {
  auto name = directory.filename();
  return (name.empty() ? directory.parent_path().filename() : name).string();
}

} // namespace

std::string derive_session_prefix(const std::string& name) {
  auto text = as_identifier(name);
  if (text.size() <= 4)
    return lower(text);
  std::string capitals;
  for (char c : text)
    if (c >= 'A' && c <= 'Z')
      capitals += lower(c);
  if (capitals.size() > 1)
    return capitals;
  if (text.find_first_of("-_") != text.npos) {
    std::string initials;
    bool begins = true;
    for (char c : text) {
      bool separator = c == '-' || c == '_';
      if (begins && !separator)
        initials += lower(c);
      begins = separator;
    }
    // Nothing but separators has no initials.
    if (!initials.empty())
      return initials;
  }
  return lower(text.substr(0, 3));
}

std::string repo_of_url(const std::string& url) {
  auto text = url;
  while (!text.empty() && text.back() == '/')
    text.pop_back();
  constexpr std::string_view git = ".git";
  if (text.size() > git.size()
      && text.compare(text.size() - git.size(), git.size(), git) == 0)
    text.resize(text.size() - git.size());
  // https://host/owner/repo, ssh://git@host/owner/repo, git@host:owner/repo;
  // a path of this machine has no owner.
  auto scheme = text.find("://");
  std::size_t host = 0;
  if (scheme != text.npos) {
    if (text.compare(0, scheme, "file") == 0)
      return {};
    host = scheme + 3;
  }
  auto end = text.find(scheme == text.npos ? ':' : '/', host);
  if (end == text.npos || text.find('/', host) < end)
    return {};
  auto path = text.substr(end + 1);
  auto slash = path.find('/');
  bool two = slash != path.npos && slash > 0 && slash + 1 < path.size()
    && path.find('/', slash + 1) == path.npos;
  return two ? path : std::string{};
}

config_outcome derive_config(const repository_facts& facts,
                             const std::vector<std::string>& usable_agents) {
  config_outcome out;
  auto all = default_settings_of_all();
  for (const auto& name : builtin_agents())
    if (std::find(usable_agents.begin(), usable_agents.end(), name)
        != usable_agents.end()) {
      all.defaults.agent = name;
      break;
    }
  project_settings p;
  auto name = directory_name(facts.path);
  p.id = project_id{as_identifier(name)};
  p.path = facts.path;
  p.name = p.id.text;
  p.repo = repo_of_url(facts.origin_url);
  p.session_prefix = derive_session_prefix(name);
  if (!facts.default_branch.empty())
    p.default_branch = facts.default_branch;
  else if (!facts.current_branch.empty())
    p.default_branch = facts.current_branch;
  all.projects.emplace(p.id, p);
  out.shown = show_config(all, {}, {});
  out.value = std::move(all);
  return out;
}

} // namespace ao
