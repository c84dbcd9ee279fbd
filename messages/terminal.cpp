#include "messages/terminal.hpp"

namespace ao::msg {
namespace {

struct deed_word {
  terminal_deed deed;
  std::string_view text;
};

constexpr deed_word deed_words[] = {
  {terminal_deed::open, "open"},
  {terminal_deed::read, "read"},
  {terminal_deed::write, "write"},
  {terminal_deed::close, "close"},
};

} // namespace

std::string_view to_string(terminal_deed x) {
  for (const auto& w : deed_words)
    if (w.deed == x)
      return w.text;
  return "invalid";
}

std::optional<terminal_deed> terminal_deed_from(std::string_view text) {
  for (const auto& w : deed_words)
    if (w.text == text)
      return w.deed;
  return std::nullopt;
}

} // namespace ao::msg
