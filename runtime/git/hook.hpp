#pragma once

#include "messages/error.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace ao {

/// What a git hook of ours starts.
struct hook_target {
  /// The `ao` program, an absolute path.
  std::filesystem::path ao;

  /// The home that it serves.
  std::filesystem::path home;

  /// The project that the hook's repository belongs to.
  std::string project;
};

/// The text of a hook: a shell script that becomes
/// `AO_HOME=<home> ao hook <name>`, with standard input passed through; the
/// directory it runs in names the project. When the program is missing it says
/// so and fails, so that nothing passes unchecked.
std::string hook_script(std::string_view name, const hook_target& target);

/// Writes `<dir>/<name>`, executable, in one step; left as it is when it is
/// the same already. Errors: `home_unusable`.
result<void> install_hook(const std::filesystem::path& dir,
                          std::string_view name, const hook_target& target);

} // namespace ao
