#pragma once

#include <string_view>
#include <vector>

namespace ao::cli::demo {

/// A file of `configs/demo/`, built into the program.
struct asset {
  /// Below `configs/demo/`.
  std::string_view path;
  std::string_view text;
};

/// All of them, by path. Made by cmake/AoEmbed.cmake.
const std::vector<asset>& assets();

} // namespace ao::cli::demo
