#pragma once

#include "runtime/config/load.hpp"

#include <nlohmann/json.hpp>

namespace ao {

/// `ao config check --json`: `{valid, file, errors:[{file, line, column, key,
/// message, expected, suggestion}], notes:[{file, line, column, key,
/// text}]}`; no suggestion is null.
nlohmann::ordered_json check_report(const config_outcome& outcome);

/// `ao config show --json`: `{data:[{key, value, source, takesEffect}]}`.
nlohmann::ordered_json show_report(const config_outcome& outcome);

/// The JSON Schema (2020-12) of a key table, for editors. Each value may be
/// a text with `${NAME}` instead.
nlohmann::ordered_json config_schema(const key_table& table);

} // namespace ao
