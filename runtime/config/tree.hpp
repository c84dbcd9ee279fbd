#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ao {

/// A place in a text: line and column count from 1, columns in characters.
struct text_place {
  std::uint32_t line = 1;
  std::uint32_t column = 1;

  friend bool operator==(text_place a, text_place b) {
    return a.line == b.line && a.column == b.column;
  }
  friend bool operator<(text_place a, text_place b) {
    return a.line != b.line ? a.line < b.line : a.column < b.column;
  }
};

enum class tree_kind : std::uint8_t { null, scalar, list, map };

struct tree_member;

/// A value of a structured text (YAML, JSON) that knows where it stands.
/// Scalars keep their text; what it means is up to the key it is written at.
struct tree_node {
  tree_kind kind = tree_kind::null;
  text_place at;
  /// Of a scalar.
  std::string text;
  /// The scalar was written in quotes (or as a block): it is text for sure.
  bool quoted = false;
  /// Of a list.
  std::vector<tree_node> items;
  /// Of a map, in the order written, repeated names included.
  std::vector<tree_member> members;
};

struct tree_member {
  std::string name;
  /// Where the name stands.
  text_place at;
  tree_node value;
};

} // namespace ao
