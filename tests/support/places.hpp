#pragma once

#include <filesystem>
#include <string>

namespace ao {

/// A file of the source tree.
std::filesystem::path source_file(const std::string& name);

/// A program of this build, e.g. `ao`.
std::string program_path(const std::string& name);

/// The library that `machine_faults` has preloaded.
std::string preload_path();

} // namespace ao
