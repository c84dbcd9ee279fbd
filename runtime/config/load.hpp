#pragma once

#include "messages/settings.hpp"
#include "runtime/config/config_error.hpp"
#include "runtime/config/environment.hpp"
#include "runtime/config/keys.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ao {

/// One line of `ao config show`.
struct config_value {
  /// Dotted path of the key, the table's name also where an alias is written.
  std::string key;
  /// As it would be written in the file; `***` for secrets.
  std::string value;
  /// `<file>:<line>`, also with ` (as <alias>)`, or `default`, or `derived`.
  std::string source;
  takes_effect effect = takes_effect::now;
  /// Differs when the value does, also of a secret.
  std::size_t mark = 0;
};

/// A configuration, or every reason why it is none. Nothing is applied.
struct config_outcome {
  std::string file;
  /// Empty if and only if there are errors.
  std::optional<settings> value;
  /// Sorted by place.
  std::vector<config_error> errors;
  /// What is accepted without effect, or with less than was written.
  std::vector<config_note> notes;
  /// Every key that has a value, in the order of the key table.
  std::vector<config_value> shown;
};

/// Reads and checks a file: ours or the original's, wrapped or flat.
///
/// @param file The file; it is called by this path in errors.
/// @param env Variables for `${NAME}`, HOME for `~`.
config_outcome load_config(const std::filesystem::path& file,
                           const env_lookup& env);

/// The same with the bytes at hand; the file's directory is where relative
/// paths begin.
config_outcome read_config(const std::string& text,
                           const std::filesystem::path& file,
                           const env_lookup& env);

/// The configuration file to be used (CONTRACT §5): `AO_CONFIG_PATH`, else
/// upwards from `cwd` the first `ao.yaml`, `agent-orchestrator.yaml` or
/// `.yml`, else `<home>/config.yaml`; empty when there is none. The path of
/// `AO_CONFIG_PATH` is returned unseen, so that a wrong one is an error.
std::optional<std::filesystem::path>
find_config(const std::filesystem::path& cwd, const env_lookup& env,
            const std::filesystem::path& home);

/// What git says about a checkout.
struct repository_facts {
  /// The top of the checkout, absolute.
  std::filesystem::path path;
  /// Empty on a detached head.
  std::string current_branch;
  /// What origin calls its default branch; empty = not known.
  std::string default_branch;
  /// Empty = no origin.
  std::string origin_url;
};

/// The configuration of `ao start` in a repository without a file.
///
/// @param facts The repository; asked of git by the caller.
/// @param usable_agents Built-in agents whose probe succeeded; the first in
///        the order of `builtin_agents` becomes the default.
config_outcome derive_config(const repository_facts& facts,
                             const std::vector<std::string>& usable_agents);

/// The session prefix of a name, as the original derives it: up to four
/// characters as they are, else the capitals of CamelCase, else the initials
/// of kebab-case and snake_case, else three letters; lower case.
std::string derive_session_prefix(const std::string& name);

/// `owner/repo` of the URL of a git remote; empty when it has none.
std::string repo_of_url(const std::string& url);

/// Every secret that the settings hold or name (tokens, headers, variables
/// of the agents that look like secrets), and what the usual variables for
/// tokens hold, for the redactor.
std::vector<std::string> secrets_in(const settings& all, const env_lookup& env);

} // namespace ao
