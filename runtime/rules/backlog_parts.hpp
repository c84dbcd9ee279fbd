#pragma once

#include "runtime/rules/backlog.hpp"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the two readers of a backlog share; for them alone.
namespace ao {

/// Collects what is wrong, and where.
class backlog_errors {
public:
  explicit backlog_errors(std::string name) : name_(std::move(name)) {}

  void add(std::size_t line, std::string_view what);

  bool empty() const { return found_.empty(); }

  /// All of it as one error, by line.
  error as_error() const;

private:
  std::string name_;
  std::vector<std::pair<std::size_t, std::string>> found_;
};

/// Takes items in, checks what both forms have in common.
class backlog_collector {
public:
  backlog_collector(backlog& into, backlog_errors& errors)
      : into_(into), errors_(errors) {}

  /// An item that is to be done; without an id it gets its slug.
  void add(backlog_item item);

  /// One that is ticked off.
  void add_finished(const backlog_item& item);

private:
  void check(const backlog_item& item);
  void check_words(const backlog_item& item, const char* what,
                   const std::vector<std::string>& words);

  backlog& into_;
  backlog_errors& errors_;
  std::map<std::string, std::size_t> line_of_;
};

void read_markdown(std::string_view text, backlog_collector& items,
                   backlog_errors& errors);

/// Errors of syntax are answered, all others are added.
result<void> read_json(std::string_view text, const std::string& name,
                       backlog_collector& items, backlog_errors& errors);

/// `"word"`, cut where it is long; for errors.
std::string in_quotes(std::string_view word);

/// `0` to `9`; -1 for anything else.
int priority_of(std::string_view text);

} // namespace ao
