#include "runtime/config/config_error.hpp"

#include <algorithm>
#include <tuple>

namespace ao {
namespace {

// Keys and values of the file may hold line breaks; the report may not.
std::string one_line(std::string text) {
  for (auto& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      c = ' ';
  return text;
}

template <class T>
std::string head(const T& x) {
  return x.file + ":" + std::to_string(x.line) + ":" + std::to_string(x.column)
    + ": " + x.key + ": ";
}

} // namespace

std::string to_string(const config_error& e) {
  auto line = head(e) + e.message + ", expected " + e.expected;
  if (!e.suggestion.empty())
    line += "; did you mean \"" + e.suggestion + "\"?";
  return one_line(std::move(line));
}

std::string to_string(const config_note& n) {
  return one_line(head(n) + n.text);
}

void sort_by_place(std::vector<config_error>& errors) {
  std::stable_sort(errors.begin(), errors.end(),
                   [](const config_error& a, const config_error& b) {
                     return std::tie(a.line, a.column)
                       < std::tie(b.line, b.column);
                   });
}

} // namespace ao
