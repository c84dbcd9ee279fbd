#pragma once

#include "messages/error.hpp"

#include <optional>
#include <string>

/// `~/.openclaw/openclaw.json`, the configuration of a gateway on this host:
/// what its hooks need, and no more, is read and written.
namespace ao::notify {

/// What the file says of the hooks.
struct gateway_file {
  enum class form {
    /// There is no file, or an empty one.
    absent,
    /// JSON: may be written anew.
    strict,
    /// JSON with comments: is read, but a person writes it.
    commented,
    /// JSON5 or nothing known: not even read.
    unknown,
  } how
    = form::absent;
  /// `hooks.enabled`
  bool enabled = false;
  /// `hooks.token` as it is written: a text or one with `${NAME}`.
  std::string token;
  /// There is a token, of whatever kind.
  bool has_token = false;
  /// `hooks.path`
  std::string path = "/hooks";
};

gateway_file read_gateway_file(const std::string& text);

/// The text with `hooks.enabled: true` and, if given, `hooks.token`; all else
/// keeps its value and order. Errors: `bad_input` unless it is absent or
/// strict.
result<std::string> with_hooks(const std::string& text,
                               const std::optional<std::string>& token);

} // namespace ao::notify
