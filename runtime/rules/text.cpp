#include "runtime/rules/text.hpp"

#include <algorithm>

namespace ao {
namespace {

/// The length of the well-formed UTF-8 sequence at `i`, 0 if there is none.
std::size_t sequence_at(std::string_view s, std::size_t i) {
  auto byte = [&s](std::size_t k) {
    return k < s.size() ? static_cast<unsigned char>(s[k]) : 0u;
  };
  auto more = [&byte](std::size_t k) { return (byte(k) & 0xC0u) == 0x80u; };
  auto first = byte(i);
  if (first < 0x80)
    return 1;
  if (first >= 0xC2 && first <= 0xDF)
    return more(i + 1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    auto second = byte(i + 1);
    auto good = first == 0xE0 ? second >= 0xA0
      : first == 0xED         ? second <= 0x9F
                              : true;
    return good && more(i + 1) && more(i + 2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    auto second = byte(i + 1);
    auto good = first == 0xF0 ? second >= 0x90
      : first == 0xF4         ? second <= 0x8F
                              : true;
    return good && more(i + 1) && more(i + 2) && more(i + 3) ? 4 : 0;
  }
  return 0;
}

} // namespace

std::size_t first_not_utf8(std::string_view s) {
  std::size_t i = 0;
  while (i < s.size()) {
    auto n = sequence_at(s, i);
    if (n == 0)
      break;
    i += n;
  }
  return i;
}

bool is_utf8(std::string_view s) {
  return first_not_utf8(s) == s.size();
}

bool has_control(std::string_view s) {
  return std::any_of(s.begin(), s.end(), [](char c) {
    auto u = static_cast<unsigned char>(c);
    return u < 0x20 || u == 0x7F;
  });
}

bool is_word(std::string_view s) {
  return !s.empty() && s.size() <= longest_word && is_utf8(s)
    && !has_control(s);
}

std::string_view trimmed(std::string_view s) {
  constexpr std::string_view blanks = " \t\r";
  auto from = s.find_first_not_of(blanks);
  if (from == std::string_view::npos)
    return {};
  return s.substr(from, s.find_last_not_of(blanks) - from + 1);
}

} // namespace ao
