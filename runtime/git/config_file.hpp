#pragma once

#include "messages/error.hpp"
#include "runtime/git/git.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace ao {

/// A variable of git's configuration and all its values, in order.
struct git_setting {
  /// `section.name`, as it is to be shown: `core.hooksPath`.
  std::string key;
  std::vector<std::string> values;
};

/// `settings` as the text of a configuration file, quoted so that git reads
/// back the same values. They may not hold a NUL.
std::string config_text(const std::vector<git_setting>& settings);

/// Brings the settings into a configuration file of git, durably; other ones
/// in it stay. A file that is not there is written in one go, one that has
/// them all is left as it is. Errors: `home_unusable`, `git_failed`.
result<void> put_settings(const git_runner& git,
                          const std::filesystem::path& file,
                          const std::vector<git_setting>& settings);

} // namespace ao
