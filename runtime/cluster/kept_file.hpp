#pragma once

#include "messages/error.hpp"
#include "messages/json.hpp"

#include <optional>
#include <string>

namespace ao {

/// What a node has kept in a file of its home; nothing where there is none.
/// Errors: those of `read_file`.
result<std::optional<std::string>> read_kept(const std::string& path);

/// The same of JSON. Errors: `bad_input`, too.
result<std::optional<json>> read_kept_json(const std::string& path);

} // namespace ao
