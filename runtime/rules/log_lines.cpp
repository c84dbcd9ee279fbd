#include "runtime/rules/log_lines.hpp"

namespace ao {
namespace {

unsigned char at(std::string_view text, std::size_t i) {
  return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
}

/// Behind the escape sequence that begins at `i`.
std::size_t skip_escape(std::string_view text, std::size_t i) {
  ++i;
  switch (at(text, i)) {
  case '[': // CSI: parameters, then one final byte
    for (++i; i < text.size(); ++i)
      if (at(text, i) >= 0x40 && at(text, i) <= 0x7e)
        return i + 1;
    return i;
  case ']': // OSC, DCS, APC, PM, SOS: up to BEL or ST
  case 'P':
  case '_':
  case '^':
  case 'X':
    for (++i; i < text.size(); ++i) {
      if (at(text, i) == 0x07)
        return i + 1;
      if (at(text, i) == 0x1b && at(text, i + 1) == '\\')
        return i + 2;
    }
    return i;
  default: // intermediates, then one final byte
    while (at(text, i) >= 0x20 && at(text, i) <= 0x2f)
      ++i;
    return i < text.size() ? i + 1 : i;
  }
}

/// The length of the character at `i`; 0 when it is no UTF-8.
std::size_t character_at(std::string_view text, std::size_t i) {
  auto first = at(text, i);
  std::size_t length = first < 0x80  ? 1
    : first >= 0xc2 && first <= 0xdf ? 2
    : (first & 0xf0) == 0xe0         ? 3
    : first >= 0xf0 && first <= 0xf4 ? 4
                                     : 0;
  for (std::size_t k = 1; k < length; ++k)
    if ((at(text, i + k) & 0xc0) != 0x80)
      return 0;
  auto second = at(text, i + 1);
  auto overlong = (first == 0xe0 && second < 0xa0)
    || (first == 0xed && second >= 0xa0) || (first == 0xf0 && second < 0x90)
    || (first == 0xf4 && second >= 0x90);
  return overlong ? 0 : length;
}

} // namespace

std::string readable_line(std::string_view line, std::size_t most) {
  constexpr std::string_view cut_mark = "…";
  std::string out;
  std::size_t i = 0;
  while (i < line.size()) {
    auto c = at(line, i);
    if (c == 0x1b) {
      i = skip_escape(line, i);
      continue;
    }
    if (c == '\r' && i + 1 < line.size())
      out.clear();
    if (c < 0x20 || c == 0x7f) {
      if (c == '\t')
        out += ' ';
      ++i;
      continue;
    }
    auto length = character_at(line, i);
    // U+0080 to U+009F are control characters, too.
    if (length == 2 && c == 0xc2 && at(line, i + 1) < 0xa0) {
      i += 2;
      continue;
    }
    if (length == 0)
      out += '?';
    else
      out += line.substr(i, length);
    i += length == 0 ? 1 : length;
  }
  if (out.size() <= most)
    return out;
  auto end = most;
  while (end > 0 && (at(out, end) & 0xc0) == 0x80)
    --end;
  return out.substr(0, end) + std::string{cut_mark};
}

} // namespace ao
