#pragma once

#include "messages/settings.hpp"
#include "runtime/config/check.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace ao {

/// Turns checked values into settings and checks what concerns more than one
/// key: names that must exist, orders of times, unique prefixes.
struct bind_request {
  std::string file;
  /// Where relative paths begin.
  std::filesystem::path directory;
  const env_lookup* env = nullptr;
  /// Of a flat file of the original: the one project, its checkout.
  std::string flat_project;
};

/// @param checked Values in; errors and notes are added to it.
settings bind_settings(check_outcome& checked, const bind_request& request);

} // namespace ao
