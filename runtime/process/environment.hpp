#pragma once

#include "messages/error.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// The complete environment of a child, built from nothing: what is not put in
/// is not there.
class environment {
public:
  environment() = default;

  /// Our own variables whose name `passes_on` or is in `extra` (exact names,
  /// e.g. an adapter's and the configuration's `passEnv`).
  static environment inherited(const std::vector<std::string>& extra = {});

  /// As `inherited`, from a given `environ`-like list.
  static environment filtered(const std::vector<std::string>& from,
                              const std::vector<std::string>& extra = {});

  /// Whether every agent gets this variable (CONTRACT §6): HOME PATH SHELL
  /// USER LOGNAME LANG LC_* TZ TERM TMPDIR XDG_* SSH_AUTH_SOCK.
  static bool passes_on(std::string_view name);

  environment& set(std::string name, std::string value);
  environment& unset(std::string_view name);

  /// The value, or an empty string.
  std::string get(std::string_view name) const;

  const std::map<std::string, std::string, std::less<>>& values() const {
    return values_;
  }

  /// As `KEY=value`, sorted.
  std::vector<std::string> to_vector() const;

private:
  std::map<std::string, std::string, std::less<>> values_;
};

/// The absolute path of the program called `name` on `path` (colon-separated;
/// empty and relative entries are skipped: never the working directory). A
/// name with a slash is checked and returned as it is.
/// Errors: `program_missing`, naming it.
result<std::string> find_program(std::string_view name, std::string_view path);

/// The directory our own executable lies in; its siblings are `ao`, `ao-node`
/// and `ao-shim`. Errors: `process_failed`.
result<std::string> own_directory();

} // namespace ao
