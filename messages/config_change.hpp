#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// When a changed value of the configuration begins to count.
enum class takes_effect : std::uint8_t { now, next_session, restart };

std::string_view to_string(takes_effect x);

/// One key whose value a reload changes.
struct config_change {
  /// Dotted path. A project, agent or notifier that is new or gone is one
  /// change, with `present` as its value.
  std::string key;
  /// As it would be written in the file; `***` for secrets; absent = none.
  std::optional<std::string> before;
  std::optional<std::string> after;
  takes_effect effect = takes_effect::now;
};

namespace msg {

/// … → CONFIG: read the file again.
struct reload_config {
  /// Who wants it: `api`, `signal`.
  std::string actor;
};

/// What came of it.
struct config_reloaded {
  /// The file read; empty when there is none.
  std::string file;
  std::vector<config_change> changed;
  /// What is accepted without effect, one line each.
  std::vector<std::string> notes;
};

} // namespace msg
} // namespace ao
