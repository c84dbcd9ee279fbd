#pragma once

#include "messages/error.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace ao::cli {

/// Makes foreign text fit for a terminal: control characters (C0, DEL, C1,
/// thus every escape sequence), bidirectional overrides and invalid UTF-8
/// become visible replacements. `\n` and `\t` survive only with `keep_lines`.
std::string sanitize(std::string_view text, bool keep_lines = false);

/// Columns that `text` (clean UTF-8) takes on a terminal; wide characters
/// count two, combining ones none.
std::size_t display_width(std::string_view text);

/// Cuts `text` to `width` columns, ending in `…` when it was longer.
std::string shorten(std::string_view text, std::size_t width);

/// `text` with blanks up to `width` columns.
std::string padded(std::string text, std::size_t width);

/// Colours of the human output; nothing at all unless it is a terminal.
enum class colour { none, red, green, yellow, blue, dim, bold };

/// `text` in that colour, for a terminal.
std::string painted(std::string_view text, colour paint);

/// One cell of a table.
struct cell {
  std::string text;
  colour paint = colour::none;
};

/// An aligned table. On a terminal the widest flexible column is cut so that
/// a row fits; elsewhere nothing is cut.
struct table {
  std::vector<std::string> head;
  std::vector<std::vector<cell>> rows;
  /// The column that gives way on a narrow terminal (-1: the last one).
  int flexible = -1;
};

/// Standard output and error of `ao`: everything foreign passes `sanitize`.
class output {
public:
  /// @param columns Width of the terminal; 0 = not a terminal.
  output(std::FILE* out, std::FILE* err, bool json, bool colours,
         std::size_t columns);

  /// Asks the process's own terminal (NO_COLOR, COLUMNS, TIOCGWINSZ).
  static output of_process();

  void set_json(bool json) { json_ = json; }
  bool json() const { return json_; }

  /// One line of human output; nothing with `--json`.
  void line(std::string_view text, colour paint = colour::none);
  void print(const table& what);

  /// One line for machines at the end (`TASK=T1`); nothing with `--json`.
  void result_line(std::string_view name, std::string_view value);

  /// The JSON object of `--json`; nothing without.
  void document(const nlohmann::json& what);

  /// One line on standard error: progress, warnings.
  void note(std::string_view text);

  /// What went wrong, where, what to do next, on standard error; with
  /// `--json` the problem document on standard output as well.
  void report(const error& why);

  /// What a person can do about `why`, empty when there is nothing to say.
  static std::string hint(const error& why);

private:
  std::string in_colour(std::string_view text, colour paint) const;

  std::FILE* out_;
  std::FILE* err_;
  bool json_;
  bool colours_;
  std::size_t columns_;
};

} // namespace ao::cli
