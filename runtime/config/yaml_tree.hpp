#pragma once

#include "runtime/config/config_error.hpp"

#include <string_view>

namespace ao {

/// Limits of a structured text; beyond them it is refused, not truncated.
constexpr std::size_t max_tree_bytes = 1u << 20;
constexpr std::size_t max_tree_depth = 32;
/// Values after aliases are written out, so that no alias bomb goes off.
constexpr std::size_t max_tree_nodes = 50'000;

/// A text as a tree, or everything that keeps it from being one.
struct tree_outcome {
  tree_node root;
  std::vector<config_error> errors;
};

/// Reads exactly one YAML document (JSON is YAML). Refused with their place:
/// invalid UTF-8, control characters, tabs as indentation, tags, keys that
/// are no text, a second document, an empty one, what exceeds the limits.
/// Repeated keys stay in the tree; the checker reports them with their path.
///
/// @param text The bytes of the file.
/// @param file How the file is called in errors.
tree_outcome read_yaml(std::string_view text, const std::string& file);

} // namespace ao
