#pragma once

#include "messages/error.hpp"
#include "messages/settings.hpp"

#include <filesystem>
#include <string>

namespace ao {

/// The bytes of a backlog and where they are from.
struct backlog_text {
  /// As keys and errors name it: the path below the project, the whole path of
  /// a file elsewhere, `-` for standard input.
  std::string source;
  std::string bytes;
};

/// What a file is called in the keys of its tasks
/// (`<project>/file:<source>#7`).
/// @param file An absolute path, or `-`.
std::string backlog_source(const project_settings& project,
                           const std::filesystem::path& file);

/// Reads the backlog that the configuration names; blocks. Errors, all with
/// the path: `bad_input` (no backlog is configured, nothing is there, not a
/// file, not readable, a link out of the project), `too_large`.
result<backlog_text> read_backlog(const project_settings& project);

/// Reads any file (or pipe) as a backlog; blocks. Errors as above.
result<std::string> read_backlog_file(const std::filesystem::path& file);

} // namespace ao
