#include "messages/actor_name.hpp"

namespace ao {

actor_name make_actor_name(std::string_view role, std::string_view key) {
  std::string text{role};
  if (!key.empty())
    text.append("/").append(key);
  return actor_name{std::move(text)};
}

std::string_view role_of(const actor_name& name) {
  std::string_view text = name.text;
  return text.substr(0, text.find('/'));
}

std::string_view key_of(const actor_name& name) {
  std::string_view text = name.text;
  auto slash = text.find('/');
  return slash == std::string_view::npos ? std::string_view{}
                                         : text.substr(slash + 1);
}

} // namespace ao
