#pragma once

#include "messages/ids.hpp"

#include <cstddef>
#include <string_view>

namespace ao {

/// Where an actor is found: `role/key` (`session/app-7`, `task/T42`) or a
/// bare role where there is one of it (`tmux`). Actors hold names and let the
/// directory resolve them; a handle goes stale at its owner's restart.
using actor_name = name_of<struct actor_name_tag>;

/// `role/key`, or `role` alone when `key` is empty.
actor_name make_actor_name(std::string_view role, std::string_view key = {});

/// The part before the first slash; the whole name when there is none.
std::string_view role_of(const actor_name& name);

/// The part behind the first slash; empty when there is none.
std::string_view key_of(const actor_name& name);

inline namespace literals {

/// `"forge/rocket"_name`.
inline actor_name operator""_name(const char* text, std::size_t size) {
  return actor_name{std::string{text, size}};
}

} // namespace literals

} // namespace ao
