#pragma once

#include "runtime/store/migrations.hpp"
#include "runtime/store/sqlite.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ao {

/// Marks our databases in their header ("ao" and a format number); durable.
constexpr std::uint32_t store_application_id = 0x616f0001;

/// Opens or creates our database at `path`: looks before it touches, takes it
/// for this process, sets WAL and FULL, and runs the missing migrations.
/// Errors: as `store::open`.
result<database> open_database(const std::string& path, const std::string& vfs,
                               const std::vector<migration>& migrations);

} // namespace ao
