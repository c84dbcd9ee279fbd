#pragma once

#include "messages/error.hpp"
#include "runtime/store/sqlite.hpp"

#include <functional>
#include <vector>

namespace ao {

/// One step of the schema; runs within the transaction of all steps.
using migration = std::function<result<void>(database&)>;

/// The steps from an empty file to the present schema: the n-th (from 0)
/// leads from version n to n + 1. Append only; a step that was released is
/// never edited, because databases out there have taken it.
std::vector<migration> schema_migrations();

} // namespace ao
