#include "runtime/notify/entities.hpp"

namespace ao::notify {

std::string with_entities(std::string_view text) {
  std::string out;
  for (auto c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

} // namespace ao::notify
