#include "runtime/rules/fence.hpp"

#include <algorithm>

namespace ao {
namespace {

/// Without control characters, those of Unicode too; tabs stay.
std::string without_controls(std::string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    auto c = static_cast<unsigned char>(line[i]);
    auto next
      = i + 1 < line.size() ? static_cast<unsigned char>(line[i + 1]) : 0xffu;
    if (c == 0xc2 && next < 0xa0)
      ++i;
    else if (c == '\t' || (c >= 0x20 && c != 0x7f))
      out += line[i];
  }
  return out;
}

} // namespace

std::string fenced(const std::vector<std::string>& lines) {
  std::size_t longest = 2;
  for (const auto& line : lines) {
    std::size_t ticks = 0;
    for (auto c : line) {
      ticks = c == '`' ? ticks + 1 : 0;
      longest = std::max(longest, ticks);
    }
  }
  std::string fence(longest + 1, '`');
  auto text = fence + "\n";
  for (const auto& line : lines)
    text += line + "\n";
  return text + fence + "\n";
}

std::string fenced(std::string_view text) {
  while (!text.empty() && text.back() == '\n')
    text.remove_suffix(1);
  std::vector<std::string> lines;
  for (;;) {
    auto end = text.find('\n');
    lines.push_back(without_controls(text.substr(0, end)));
    if (end == std::string_view::npos)
      return fenced(lines);
    text.remove_prefix(end + 1);
  }
}

} // namespace ao
