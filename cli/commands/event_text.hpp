#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

/// Events in words.
namespace ao::cli {

/// Replaces each `{name}` of the pattern by the event's `data` of that name,
/// object names shortened to twelve digits; empty when it has no such datum.
std::string fill(std::string_view pattern, const nlohmann::json& event);

/// What an event says beyond its kind and subject: `exit status 1 (crash)`,
/// `ao/app-1 at 0123456789ab`. Empty when that is nothing.
std::string detail_of(const nlohmann::json& event);

} // namespace ao::cli
