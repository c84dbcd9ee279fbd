#pragma once

#include "runtime/config/tree.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// Bytes from `begin` up to, not including, `end`.
struct yaml_span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Where things stand in a YAML text that is valid: the tree says where they
/// begin, this where they end. It is no parser and may be wrong about strange
/// texts; who uses it proves the result.
class yaml_layout {
public:
  explicit yaml_layout(std::string_view text);

  /// The offset of a place; the end of the text when it is behind that.
  std::size_t offset(text_place at) const;

  /// The offset of a value, behind its anchor; nothing for an alias or a tag.
  std::optional<std::size_t> value_offset(const tree_node& node) const;

  /// Whether a map or list is written in brackets.
  bool is_flow(const tree_node& node) const;

  /// Of a list or map in brackets: the last byte of what is in it that is
  /// neither blank nor comment, or the opening bracket; nothing when it is
  /// never closed.
  std::optional<std::size_t> last_in_flow(std::size_t open) const;

  /// The bytes of a scalar, quotes included; of a block of text nothing.
  /// @param flow It is in brackets.
  std::optional<yaml_span> scalar(const tree_node& node, bool flow) const;

  /// Behind the colon of a key.
  std::optional<std::size_t> after_colon(text_place key) const;

  /// The column (from 0) of what is written first in the line.
  std::size_t indent_of_line(std::size_t line) const;

  /// The last line (from 0) of what begins in `line` at column `indent`: the
  /// lines that are deeper, comments among them, and a list at the same depth.
  std::size_t last_line(std::size_t line, std::size_t indent,
                        bool list_at_same_depth) const;

  /// Where line `line` (from 0) begins; the end of the text behind the last.
  std::size_t line_start(std::size_t line) const;

  /// The bytes of a line without its end.
  std::string_view line(std::size_t line) const;

  std::size_t line_count() const { return starts_.size(); }

private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
};

} // namespace ao
