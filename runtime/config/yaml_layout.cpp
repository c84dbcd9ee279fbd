#include "runtime/config/yaml_layout.hpp"

#include <algorithm>

namespace ao {
namespace {

constexpr std::string_view blanks = " \t\r\n";

bool is_blank(char c) {
  return blanks.find(c) != blanks.npos;
}

/// Behind the quote that opens at `at`; `npos` when it is never closed.
std::size_t end_of_quote(std::string_view text, std::size_t at) {
  auto quote = text[at];
  for (auto i = at + 1; i < text.size(); ++i) {
    auto doubled = quote == '\'' && text[i] == quote && i + 1 < text.size()
      && text[i + 1] == quote;
    if (doubled || (quote == '"' && text[i] == '\\'))
      ++i;
    else if (text[i] == quote)
      return i + 1;
  }
  return text.npos;
}

bool begins_comment(std::string_view text, std::size_t at) {
  return text[at] == '#' && (at == 0 || is_blank(text[at - 1]));
}

} // namespace

yaml_layout::yaml_layout(std::string_view text) : text_(text), starts_{0} {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n' && i + 1 < text.size())
      starts_.push_back(i + 1);
}

std::size_t yaml_layout::offset(text_place at) const {
  auto out = line_start(at.line - 1);
  for (auto left = at.column; left > 1 && out < text_.size(); --left)
    do
      ++out;
    while (out < text_.size()
           && (static_cast<unsigned char>(text_[out]) & 0xC0) == 0x80);
  return out;
}

std::optional<std::size_t>
yaml_layout::value_offset(const tree_node& node) const {
  auto at = offset(node.at);
  if (at < text_.size() && text_[at] == '&') {
    at = std::min(text_.find_first_of(blanks, at), text_.size());
    at = std::min(text_.find_first_not_of(blanks, at), text_.size());
  }
  if (at >= text_.size() || text_[at] == '*' || text_[at] == '!')
    return std::nullopt;
  return at;
}

bool yaml_layout::is_flow(const tree_node& node) const {
  auto at = value_offset(node);
  return at && (text_[*at] == '{' || text_[*at] == '[');
}

std::optional<std::size_t> yaml_layout::last_in_flow(std::size_t open) const {
  auto last = open;
  auto depth = 0;
  for (auto i = open; i < text_.size(); ++i) {
    auto c = text_[i];
    if (is_blank(c))
      continue;
    if (begins_comment(text_, i)) {
      i = std::min(text_.find('\n', i), text_.size());
      continue;
    }
    auto opens = i == open
      || std::string_view{"{[,:"}.find(text_[last]) != std::string_view::npos;
    if (opens && (c == '"' || c == '\'')) {
      auto end = end_of_quote(text_, i);
      if (end == text_.npos)
        return std::nullopt;
      i = end - 1;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return last;
    }
    last = i;
  }
  return std::nullopt;
}

std::optional<yaml_span> yaml_layout::scalar(const tree_node& node,
                                             bool flow) const {
  auto at = value_offset(node);
  if (!at || text_[*at] == '|' || text_[*at] == '>')
    return std::nullopt;
  if (text_[*at] == '"' || text_[*at] == '\'') {
    auto end = end_of_quote(text_, *at);
    if (end == text_.npos)
      return std::nullopt;
    return yaml_span{*at, end};
  }
  auto end = *at;
  while (
    end < text_.size() && text_[end] != '\n' && !begins_comment(text_, end)
    && !(flow
         && std::string_view{",]}"}.find(text_[end]) != std::string_view::npos))
    ++end;
  while (end > *at && is_blank(text_[end - 1]))
    --end;
  return yaml_span{*at, end};
}

std::optional<std::size_t> yaml_layout::after_colon(text_place key) const {
  auto at = offset(key);
  if (at < text_.size() && (text_[at] == '"' || text_[at] == '\''))
    at = end_of_quote(text_, at);
  auto colon = text_.find_first_of(":\n", at);
  if (colon == text_.npos || text_[colon] == '\n')
    return std::nullopt;
  return colon + 1;
}

std::size_t yaml_layout::indent_of_line(std::size_t number) const {
  auto text = line(number);
  return std::min(text.find_first_not_of(' '), text.size());
}

std::size_t yaml_layout::last_line(std::size_t number, std::size_t indent,
                                   bool list_at_same_depth) const {
  auto last = number;
  for (auto i = number + 1; i < line_count(); ++i) {
    auto text = line(i);
    auto deep = indent_of_line(i);
    if (deep == text.size())
      continue;
    auto item
      = text[deep] == '-' && (deep + 1 == text.size() || text[deep + 1] == ' ');
    if (deep > indent || (deep == indent && item && list_at_same_depth))
      last = i;
    else if (text[deep] != '#')
      break;
  }
  return last;
}

std::size_t yaml_layout::line_start(std::size_t number) const {
  return number < starts_.size() ? starts_[number] : text_.size();
}

std::string_view yaml_layout::line(std::size_t number) const {
  auto begin = line_start(number);
  auto out = text_.substr(begin, line_start(number + 1) - begin);
  while (!out.empty() && (out.back() == '\n' || out.back() == '\r'))
    out.remove_suffix(1);
  return out;
}

} // namespace ao
