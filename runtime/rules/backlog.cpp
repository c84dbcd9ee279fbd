#include "runtime/rules/backlog.hpp"

#include "messages/ids.hpp"
#include "runtime/rules/backlog_parts.hpp"
#include "runtime/rules/text.hpp"

#include <algorithm>

namespace ao {
namespace {

constexpr std::size_t longest_id = 64;
constexpr std::size_t longest_slug = 60;
constexpr std::size_t most_errors = 10;
constexpr std::size_t longest_quote = 60;

constexpr std::string_view form_of_ids
  = "a letter or digit, then letters, digits, . _ or -, at most 64 in all";

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
    || (c >= '0' && c <= '9');
}

std::size_t line_at(std::string_view text, std::size_t at) {
  return 1
    + static_cast<std::size_t>(
           std::count(text.begin(), text.begin() + std::ptrdiff_t(at), '\n'));
}

bool ends_with(std::string_view s, std::string_view end) {
  return s.size() >= end.size() && s.substr(s.size() - end.size()) == end;
}

/// FNV-1a, which never changes.
std::string number_made_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ull;
  for (auto c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return std::to_string(hash);
}

} // namespace

std::string in_quotes(std::string_view word) {
  if (word.size() <= longest_quote)
    return "\"" + std::string{word} + "\"";
  auto cut = word.substr(0, longest_quote);
  return "\"" + std::string{cut.substr(0, first_not_utf8(cut))} + "...\"";
}

int priority_of(std::string_view text) {
  return text.size() == 1 && text[0] >= '0' && text[0] <= '9' ? text[0] - '0'
                                                              : -1;
}

bool is_backlog_id(std::string_view id) {
  auto inner
    = [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; };
  return !id.empty() && id.size() <= longest_id && is_alnum(id.front())
    && std::all_of(id.begin(), id.end(), inner)
    && number_of(task_id{std::string{id}}) == 0;
}

std::string slug_of(std::string_view title) {
  std::string out;
  auto gap = false;
  for (auto c : title) {
    if (!is_alnum(c)) {
      gap = !out.empty();
      continue;
    }
    if (out.size() + (gap ? 1 : 0) >= longest_slug)
      break;
    if (gap)
      out += '-';
    gap = false;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out.empty() ? number_made_of(title) : out;
}

// -- errors -------------------------------------------------------------------

void backlog_errors::add(std::size_t line, std::string_view what) {
  found_.emplace_back(line, what);
}

error backlog_errors::as_error() const {
  auto sorted = found_;
  std::stable_sort(
    sorted.begin(), sorted.end(),
    [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string lines;
  for (std::size_t i = 0; i < std::min(sorted.size(), most_errors); ++i)
    lines += (i == 0 ? "" : "\n") + name_ + ":"
      + std::to_string(sorted[i].first) + ": " + sorted[i].second;
  if (sorted.size() > most_errors)
    lines += "\nand " + std::to_string(sorted.size() - most_errors) + " more";
  return {ec::bad_input, std::move(lines)};
}

// -- items --------------------------------------------------------------------

void backlog_collector::add(backlog_item item) {
  if (trimmed(item.title).empty())
    return errors_.add(item.line, "the title is missing, expected one line");
  auto written = !item.id.empty();
  if (!written)
    item.id = slug_of(item.title);
  check(item);
  auto [first, is_new] = line_of_.emplace(item.id, item.line);
  if (!is_new)
    errors_.add(item.line,
                in_quotes(item.id) + " is there twice, first in line "
                  + std::to_string(first->second) + ", expected "
                  + (written ? "another ID" : "an ID before the title"));
  into_.items.push_back(std::move(item));
}

void backlog_collector::add_finished(const backlog_item& item) {
  into_.finished.push_back(item.id.empty() ? slug_of(item.title) : item.id);
}

void backlog_collector::check(const backlog_item& item) {
  const auto at = item.line;
  if (number_of(task_id{item.id}) != 0)
    errors_.add(at,
                "the ID " + in_quotes(item.id)
                  + " means a task of the hub, expected another such as task-"
                  + item.id.substr(1));
  else if (!is_backlog_id(item.id))
    errors_.add(at,
                "the ID " + in_quotes(item.id) + " is none, expected "
                  + std::string{form_of_ids});
  if (item.title.size() > longest_title)
    errors_.add(at,
                "the title is longer than 500 bytes, expected one short line");
  else if (has_control(item.title))
    errors_.add(at, "a control character is in the title, expected one line");
  check_words(item, "label", item.labels);
  check_words(item, "need", item.needs);
  if (!item.agent.empty() && !is_word(item.agent))
    errors_.add(at, "the name of the agent is too long or not one line");
}

void backlog_collector::check_words(const backlog_item& item, const char* what,
                                    const std::vector<std::string>& words) {
  for (const auto& word : words)
    if (!is_word(word))
      errors_.add(item.line,
                  std::string{"the "} + what + " " + in_quotes(word)
                    + " is empty, too long or not one line");
}

// -- both forms ---------------------------------------------------------------

backlog_format backlog_format_of(std::string_view name, std::string_view text) {
  if (ends_with(name, ".json"))
    return backlog_format::json;
  auto slash = name.find_last_of('/');
  auto file = slash == name.npos ? name : name.substr(slash + 1);
  auto first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  auto opens = first != text.npos && (text[first] == '[' || text[first] == '{');
  return file.find('.') == file.npos && opens ? backlog_format::json
                                              : backlog_format::markdown;
}

result<backlog> parse_backlog(std::string_view text, backlog_format format,
                              const std::string& name) {
  if (text.size() > largest_backlog)
    return fail(ec::too_large,
                name + " is larger than 1 MiB, expected a smaller backlog");
  backlog_errors errors{name};
  if (auto at = first_not_utf8(text); at != text.size())
    errors.add(line_at(text, at), "a byte is not UTF-8, expected text");
  else if (at = text.find('\0'); at != text.npos)
    errors.add(line_at(text, at), "a NUL is here, expected text");
  if (!errors.empty())
    return fail(errors.as_error());
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.substr(0, byte_order_mark.size()) == byte_order_mark)
    text.remove_prefix(byte_order_mark.size());
  backlog out;
  backlog_collector items{out, errors};
  if (format == backlog_format::markdown)
    read_markdown(text, items, errors);
  else if (auto read = read_json(text, name, items, errors); !read)
    return fail(read.error());
  if (!errors.empty())
    return fail(errors.as_error());
  return out;
}

} // namespace ao
