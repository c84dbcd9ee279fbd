#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ao {

/// A process as others see it; the parts end in zero bytes.
struct seen_process {
  std::string arguments;
  std::string variables;
};

/// Every process whose environment speaks of `root`, as all of a world do.
std::vector<seen_process> processes_of(const std::filesystem::path& root);

} // namespace ao
