#include "runtime/config/environment.hpp"

#include <algorithm>
#include <cstdlib>

namespace ao {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// The name in `{NAME}` at the start of `text`; empty when it is none.
std::string_view braced_name(std::string_view text) {
  if (text.empty() || text[0] != '{')
    return {};
  auto end = text.find('}');
  if (end == text.npos)
    return {};
  auto name = text.substr(1, end - 1);
  return is_variable_name(name) ? name : std::string_view{};
}

} // namespace

env_lookup process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>{value} : std::nullopt;
  };
}

bool is_variable_name(std::string_view text) {
  return !text.empty() && is_letter(text[0])
    && std::all_of(text.begin(), text.end(), [](char c) {
         return is_letter(c) || (c >= '0' && c <= '9');
       });
}

expanded_text expand(std::string_view text, const env_lookup& env) {
  expanded_text out;
  for (std::size_t i = 0; i < text.size();) {
    auto rest = text.substr(i);
    if (rest.substr(0, 2) == "$$" && !braced_name(rest.substr(2)).empty()) {
      auto name = braced_name(rest.substr(2));
      out.text.append(rest.substr(1, name.size() + 3));
      i += name.size() + 4;
      continue;
    }
    auto name
      = rest[0] == '$' ? braced_name(rest.substr(1)) : std::string_view{};
    if (name.empty()) {
      out.text += rest[0];
      ++i;
      continue;
    }
    if (auto value = env(std::string{name}))
      out.text += *value;
    else if (out.unset.empty())
      out.unset = name;
    out.changed = true;
    i += name.size() + 3;
  }
  return out;
}

} // namespace ao
