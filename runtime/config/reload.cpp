#include "runtime/config/reload.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace ao {
namespace {

constexpr const char* present = "present";

/// What of a project is taken when it is started, and kept until its end.
void keep_what_restarts(const project_settings& running,
                        project_settings& next) {
  next.path = running.path;
  next.repo = running.repo;
  next.default_branch = running.default_branch;
  next.duplicates = running.duplicates;
  next.forge.plugin = running.forge.plugin;
  next.forge.publish = running.forge.publish;
  next.forge.api_url = running.forge.api_url;
  next.forge.token_env = running.forge.token_env;
  if (next.ci && running.ci)
    next.ci->command = running.ci->command;
  else
    next.ci = running.ci;
}

settings merge(const settings& running, const settings& read) {
  auto out = read;
  out.cluster = running.cluster;
  out.api = running.api;
  out.projects.clear();
  for (const auto& [id, old] : running.projects) {
    auto found = read.projects.find(id);
    auto& next = out.projects[id];
    next = found == read.projects.end() ? old : found->second;
    keep_what_restarts(old, next);
  }
  return out;
}

/// `projects.app` of `projects.app.path`; empty for keys of no such table.
std::string entry_of(const std::string& key) {
  for (std::string_view table : {"projects.", "agents.", "notifiers."})
    if (key.compare(0, table.size(), table) == 0)
      return key.substr(0, key.find('.', table.size()));
  return {};
}

takes_effect effect_of_entry(const std::string& entry) {
  if (entry.compare(0, 9, "projects.") == 0)
    return takes_effect::restart;
  return entry.compare(0, 7, "agents.") == 0 ? takes_effect::next_session
                                             : takes_effect::now;
}

using value_list = std::vector<config_value>;

std::set<std::string> entries_of(const value_list& values) {
  std::set<std::string> out;
  for (const auto& v : values)
    out.insert(entry_of(v.key));
  out.erase("");
  return out;
}

std::map<std::string, const config_value*> by_key(const value_list& values) {
  std::map<std::string, const config_value*> out;
  for (const auto& v : values)
    out.emplace(v.key, &v);
  return out;
}

/// Goes through two lists of values; what is gone comes last.
class comparison {
public:
  comparison(const value_list& before, const value_list& after)
      : before_(before),
        after_(after),
        old_(by_key(before)),
        new_(by_key(after)),
        old_entries_(entries_of(before)),
        new_entries_(entries_of(after)) {}

  std::vector<config_change> run() {
    for (const auto& v : after_)
      look_at_new(v);
    for (const auto& v : before_)
      if (new_.count(v.key) == 0)
        look_at_gone(v);
    return std::move(out_);
  }

private:
  void look_at_new(const config_value& v) {
    auto entry = entry_of(v.key);
    if (!entry.empty() && old_entries_.count(entry) == 0)
      return add_entry(entry, std::nullopt, present);
    auto old = old_.find(v.key);
    if (old == old_.end())
      out_.push_back({v.key, std::nullopt, v.value, v.effect});
    else if (old->second->mark != v.mark)
      out_.push_back({v.key, old->second->value, v.value, v.effect});
  }

  void look_at_gone(const config_value& v) {
    auto entry = entry_of(v.key);
    if (!entry.empty() && new_entries_.count(entry) == 0)
      return add_entry(entry, present, std::nullopt);
    out_.push_back({v.key, v.value, std::nullopt, v.effect});
  }

  void add_entry(const std::string& entry, std::optional<std::string> before,
                 std::optional<std::string> after) {
    if (told_.insert(entry).second)
      out_.push_back(
        {entry, std::move(before), std::move(after), effect_of_entry(entry)});
  }

  const value_list& before_;
  const value_list& after_;
  std::map<std::string, const config_value*> old_;
  std::map<std::string, const config_value*> new_;
  std::set<std::string> old_entries_;
  std::set<std::string> new_entries_;
  std::set<std::string> told_;
  std::vector<config_change> out_;
};

/// Whether a value waits for a restart.
bool waits(const config_value& v, const std::set<std::string>& changed) {
  auto entry = entry_of(v.key);
  return v.effect == takes_effect::restart
    || (changed.count(entry) > 0
        && effect_of_entry(entry) == takes_effect::restart);
}

} // namespace

reload_plan plan_reload(const settings& running, const value_list& shown,
                        const config_outcome& read) {
  reload_plan out;
  out.next = merge(running, *read.value);
  out.changed = comparison{shown, read.shown}.run();
  std::set<std::string> keys;
  for (const auto& c : out.changed)
    keys.insert(c.key);
  for (const auto& v : read.shown)
    if (!waits(v, keys))
      out.shown.push_back(v);
  for (const auto& v : shown)
    if (waits(v, keys))
      out.shown.push_back(v);
  return out;
}

std::vector<std::string>
notifiers_in(const std::vector<config_change>& changed) {
  constexpr std::string_view table = "notifiers.";
  std::set<std::string> out;
  for (const auto& c : changed) {
    auto entry = entry_of(c.key);
    if (entry.compare(0, table.size(), table) == 0)
      out.insert(entry.substr(table.size()));
  }
  return {out.begin(), out.end()};
}

} // namespace ao
