#include "runtime/rules/notification_text.hpp"

#include <cctype>

namespace ao {

std::string cut(std::string text, std::size_t most) {
  if (text.size() <= most)
    return text;
  auto end = most - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  return text.substr(0, end) + "…";
}

std::string notification_heading(priority p, std::string_view who,
                                 std::string_view kind,
                                 std::string_view about) {
  std::string out = "[AO ";
  for (auto c : to_string(p))
    out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  out += "] ";
  out += who.empty() ? "-" : who;
  out += ' ';
  out += kind;
  out += "\nCase ";
  out += about;
  return out + "\n";
}

} // namespace ao
