#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ao {

/// The value of a variable, nothing when it is not set.
using env_lookup
  = std::function<std::optional<std::string>(const std::string& name)>;

/// Looks in the environment of this process.
env_lookup process_environment();

/// True for `[A-Za-z_][A-Za-z0-9_]*`.
bool is_variable_name(std::string_view text);

/// A text with its `${NAME}` replaced.
struct expanded_text {
  std::string text;
  /// At least one variable was replaced.
  bool changed = false;
  /// The first variable that is not set; empty = all were.
  std::string unset;
};

/// Replaces each `${NAME}`; `$${NAME}` stands for the text `${NAME}`, and
/// anything else with a dollar (`$1`, `${x:-y}`) is left alone. What a
/// variable holds is not looked into again.
expanded_text expand(std::string_view text, const env_lookup& env);

} // namespace ao
