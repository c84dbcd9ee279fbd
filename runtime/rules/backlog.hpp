#pragma once

#include "messages/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// How a backlog is written (CONTRACT §5).
enum class backlog_format : std::uint8_t { markdown, json };

/// One task of a backlog, as it is written; nothing is looked up.
struct backlog_item {
  /// `[A-Za-z0-9][A-Za-z0-9._-]*`; the slug of the title where none is written.
  std::string id;
  std::string title;
  /// Literally, without blank lines at its ends.
  std::string body;
  /// Ids of this backlog, `T<n>`, keys, or `<project>/ID`.
  std::vector<std::string> needs;
  /// 0 (first) to 9.
  int priority = 5;
  std::vector<std::string> labels;
  /// Empty = the project's.
  std::string agent;
  /// Where it begins, from 1.
  std::size_t line = 0;
};

struct backlog {
  /// What is to be done, in the order of the file.
  std::vector<backlog_item> items;
  /// The ids of those that are ticked off.
  std::vector<std::string> finished;
};

/// Largest backlog, in bytes.
constexpr std::size_t largest_backlog = std::size_t{1} << 20;

/// JSON for a name that ends in `.json`; for one without an extension, when
/// the text begins with `[` or `{` as no Markdown item does.
backlog_format backlog_format_of(std::string_view name, std::string_view text);

/// Reads a backlog.
///
/// Markdown: `- [ ] ID: Title` or `## ID: Title` at the beginning of a line;
/// `- [x] …` is ticked off. Below it, on lines of their own, `needs:`,
/// `priority:`, `labels:` and `agent:`; all else up to the next item is the
/// body. What is fenced by ``` or ~~~ is never anything but body. In a file
/// with `- [ ]` items a heading without ID and text is a section, no task.
///
/// JSON: an array of `{id, title, body, needs, priority, labels, agent}`.
///
/// @param name What the file is called in errors.
/// Errors: `bad_input` with one line `<name>:<line>: <what>, expected <what>`
/// for each of the first ten that are wrong; `too_large`.
result<backlog> parse_backlog(std::string_view text, backlog_format format,
                              const std::string& name);

/// Whether an item can be called so: the form above, at most 64 bytes, and not
/// that of a task of the hub (`T7`).
bool is_backlog_id(std::string_view id);

/// What an item without ID is called: the letters and digits of its title, in
/// lower case, joined by `-`; of a title without any, a number made of it.
std::string slug_of(std::string_view title);

} // namespace ao
