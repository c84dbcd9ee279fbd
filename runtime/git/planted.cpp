#include "runtime/git/planted.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace ao {
namespace {

struct setting {
  std::string key;
  std::string value;
  /// Written by the user or the system, not by a repository.
  bool users = false;
};

/// Takes the text up to the next NUL, and the NUL.
std::string_view take(std::string_view& text) {
  auto piece = text.substr(0, text.find('\0'));
  text.remove_prefix(std::min(piece.size() + 1, text.size()));
  return piece;
}

std::vector<setting> read_listing(std::string_view listing) {
  std::vector<setting> out;
  while (!listing.empty()) {
    auto scope = take(listing);
    auto line = take(listing);
    auto end = std::min(line.find('\n'), line.size());
    out.push_back({std::string{line.substr(0, end)},
                   std::string{line.substr(std::min(end + 1, line.size()))},
                   scope == "system" || scope == "global"});
  }
  return out;
}

/// `section.<anything.>name` as its first and last part; git gives both in
/// small letters.
struct key_parts {
  std::string_view section;
  std::string_view middle;
  std::string_view name;
};

key_parts parts_of(std::string_view key) {
  auto first = std::min(key.find('.'), key.size());
  auto last = key.rfind('.');
  if (last == std::string_view::npos)
    return {key, {}, {}};
  auto middle = last > first ? key.substr(first + 1, last - first - 1)
                             : std::string_view{};
  return {key.substr(0, first), middle, key.substr(last + 1)};
}

/// The value with which such a setting starts nothing of a repository's
/// choice; none for those that start nothing anyway.
std::optional<std::string> harmless(const key_parts& key) {
  if (key.section == "filter")
    return key.name == "required" ? "false" : "";
  if (key.section == "core" && key.middle.empty()) {
    if (key.name == "sshcommand")
      return "ssh";
    if (key.name == "alternaterefscommand")
      return "true";
  }
  return std::nullopt;
}

bool is_redirect(const key_parts& key, std::string_view value,
                 std::string_view origin) {
  if (key.section == "url")
    return true;
  if (key.section != "remote")
    return false;
  // Of these git takes the first, wherever it stands.
  if (key.name == "uploadpack" || key.name == "receivepack")
    return true;
  if (key.middle != "origin")
    return false;
  return key.name == "pushurl" || key.name == "vcs"
    || (key.name == "url" && value != origin);
}

} // namespace

planted_settings judge_settings(std::string_view listing,
                                std::string_view origin) {
  auto all = read_listing(listing);
  // A key's last value is the one that counts.
  std::map<std::string_view, std::string_view> users;
  std::vector<std::string_view> users_helpers;
  for (const auto& one : all)
    if (one.users) {
      users[one.key] = one.value;
      if (one.key == "credential.helper")
        users_helpers.push_back(one.value);
    }
  planted_settings out;
  std::set<std::string_view> seen;
  bool helper = false;
  for (const auto& one : all) {
    auto key = parts_of(one.key);
    if (one.users)
      continue;
    if (is_redirect(key, one.value, origin))
      out.redirects.push_back(one.key);
    if (!seen.insert(one.key).second)
      continue;
    out.proxy = out.proxy || one.key == "core.gitproxy";
    helper = helper || (key.section == "credential" && key.name == "helper");
    if (auto instead = harmless(key)) {
      auto own = users.find(one.key);
      out.overrides.emplace_back(
        one.key, own == users.end() ? *instead : std::string{own->second});
    }
  }
  if (helper) {
    // An empty one forgets all before it.
    out.overrides.emplace_back("credential.helper", "");
    for (auto value : users_helpers)
      out.overrides.emplace_back("credential.helper", value);
  }
  return out;
}

std::vector<std::pair<std::string, std::string>>
override_variables(const planted_settings& planted) {
  std::vector<std::pair<std::string, std::string>> out;
  if (planted.proxy)
    out.emplace_back("GIT_PROXY_COMMAND", "");
  out.emplace_back("GIT_CONFIG_COUNT",
                   std::to_string(planted.overrides.size()));
  for (std::size_t i = 0; i < planted.overrides.size(); ++i) {
    auto n = std::to_string(i);
    out.emplace_back("GIT_CONFIG_KEY_" + n, planted.overrides[i].first);
    out.emplace_back("GIT_CONFIG_VALUE_" + n, planted.overrides[i].second);
  }
  return out;
}

} // namespace ao
