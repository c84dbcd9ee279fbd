#pragma once

#include "runtime/store/store.hpp"

#include <cstdint>
#include <string>

namespace ao {

/// Writes a consistent, durable copy of a database, of mode 0600; says how
/// many bytes it has. A copy that fails is removed.
/// @param path Absolute; nothing may be there yet.
/// Errors: `bad_input` (not absolute, something is there, cannot be made),
/// `store_failed`.
result<std::uint64_t> back_up_into(store& db, const std::string& path);

} // namespace ao
