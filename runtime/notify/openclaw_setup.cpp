#include "runtime/notify/openclaw_setup.hpp"

#include "runtime/config/value_rules.hpp"
#include "runtime/config/yaml_edit.hpp"

#include <algorithm>
#include <utility>

namespace ao::notify {
namespace {

using names = std::vector<std::string>;

constexpr const char* token_variable = "${OPENCLAW_HOOKS_TOKEN}";

constexpr std::pair<priority, const char*> priorities[]
  = {{priority::urgent, "urgent"},
     {priority::action, "action"},
     {priority::warning, "warning"},
     {priority::info, "info"}};

bool has(const names& all, const std::string& name) {
  return std::find(all.begin(), all.end(), name) != all.end();
}

names defaults_with(const settings& now, const std::string& id) {
  auto out = now.defaults.notifiers;
  if (!has(out, id))
    out.push_back(id);
  return out;
}

bool goes_to_gateway(routing_preset preset, priority p) {
  switch (preset) {
  case routing_preset::urgent_only:
    return p == priority::urgent;
  case routing_preset::urgent_action:
    return p == priority::urgent || p == priority::action;
  case routing_preset::all:
    break;
  }
  return true;
}

std::string in_brackets(const names& all) {
  std::string out = "[";
  for (const auto& one : all)
    out += (out.size() > 1 ? ", " : "") + one;
  return out + "]";
}

} // namespace

result<routing_preset> parse_preset(const std::string& word) {
  if (word == "urgent-only")
    return routing_preset::urgent_only;
  if (word == "urgent-action")
    return routing_preset::urgent_action;
  if (word == "all")
    return routing_preset::all;
  return fail(ec::bad_input,
              "--routing-preset: \"" + word
                + "\" is not urgent-only, urgent-action or all");
}

result<std::string> hook_url(const std::string& given,
                             const std::string& hooks_path) {
  auto wrong = [&](const std::string& why) {
    return fail(ec::bad_input, "the url \"" + given + "\" " + why);
  };
  auto scheme = given.find("://");
  auto known = given.compare(0, 7, "http://") == 0
    || given.compare(0, 8, "https://") == 0;
  if (!known || given.find_first_of(" \t\r\n\"'<>\\") != given.npos
      || given.size() == scheme + 3 || given[scheme + 3] == '/')
    return wrong("is no address such as http://127.0.0.1:18789");
  if (given.find_first_of("?#") != given.npos)
    return wrong("has a query or fragment, which the gateway refuses; the "
                 "token goes to --token");
  if (given.compare(0, 8, "https://") != 0 && !is_loopback_url(given))
    return wrong("would send the token in the clear; use https, or a tunnel "
                 "to http://127.0.0.1");
  auto slash = given.find('/', scheme + 3);
  if (slash == given.npos)
    return given + hooks_path + "/agent";
  if (slash + 1 == given.size())
    return given.substr(0, slash) + hooks_path + "/agent";
  return given;
}

std::string to_string(token_source from) {
  switch (from) {
  case token_source::flag:
    return "flag";
  case token_source::configuration:
    return "configuration";
  case token_source::environment:
    return "environment";
  case token_source::gateway:
    return "gateway";
  case token_source::generated:
    return "generated";
  case token_source::none:
    break;
  }
  return "none";
}

result<std::string> notifier_of_gateway(const settings& now) {
  names found;
  for (const auto& [id, notifier] : now.notifiers)
    if (notifier.plugin == "openclaw")
      found.push_back(id);
  if (found.empty()) {
    if (now.notifiers.count("openclaw") > 0)
      return fail(ec::bad_input,
                  "notifiers.openclaw has another plugin than "
                  "openclaw; rename it");
    return std::string{"openclaw"};
  }
  if (found.size() == 1)
    return found.front();
  if (has(found, "openclaw"))
    return std::string{"openclaw"};
  return fail(ec::bad_input,
              "several notifiers have the plugin openclaw: "
                + in_brackets(found)
                + "; call the one that is meant openclaw, or edit it by hand");
}

names routed(const settings& now, const openclaw_entry& entry, priority p) {
  auto out = notifiers_for(now, p);
  auto wanted = goes_to_gateway(entry.preset, p);
  if (!wanted)
    out.erase(std::remove(out.begin(), out.end(), entry.id), out.end());
  else if (!has(out, entry.id))
    out.push_back(entry.id);
  return out;
}

result<std::string> with_openclaw(const std::string& yaml, const settings& now,
                                  const openclaw_entry& entry) {
  result<std::string> text{yaml};
  auto put = [&text](const yaml_path& path, const std::string& value) {
    if (text)
      text = put_yaml_text(*text, path, value);
  };
  auto put_list = [&text](const yaml_path& path, const names& items) {
    if (text)
      text = put_yaml_list(*text, path, items);
  };
  put({"notifiers", entry.id, "plugin"}, "openclaw");
  put({"notifiers", entry.id, "url"}, entry.url);
  yaml_path token{"notifiers", entry.id, "token"};
  if (entry.token == openclaw_entry::token_key::from_environment)
    put(token, token_variable);
  else if (entry.token == openclaw_entry::token_key::absent && text)
    text = remove_yaml_key(*text, token);
  put_list({"defaults", "notifiers"}, defaults_with(now, entry.id));
  for (const auto& [p, name] : priorities)
    put_list({"notificationRouting", name}, routed(now, entry, p));
  return text;
}

names openclaw_lines(const settings& now, const openclaw_entry& entry) {
  names out{"notifiers:", "  " + entry.id + ":", "    plugin: openclaw",
            "    url: " + entry.url};
  if (entry.token == openclaw_entry::token_key::from_environment)
    out.push_back(std::string{"    token: \""} + token_variable + "\"");
  out.push_back("defaults:");
  out.push_back("  notifiers: " + in_brackets(defaults_with(now, entry.id)));
  out.push_back("notificationRouting:");
  for (const auto& [p, name] : priorities)
    out.push_back(std::string{"  "} + name + ": "
                  + in_brackets(routed(now, entry, p)));
  return out;
}

} // namespace ao::notify
