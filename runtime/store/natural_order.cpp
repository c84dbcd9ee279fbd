#include "runtime/store/natural_order.hpp"

#include <cstddef>

namespace ao {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes the digits at the front of `text`.
std::string_view take_number(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && is_digit(text[n]))
    ++n;
  auto digits = text.substr(0, n);
  text.remove_prefix(n);
  return digits;
}

/// Compares by value, then by leading zeros, so that only equal runs tie.
int compare_numbers(std::string_view a, std::string_view b) {
  auto bare = [](std::string_view x) {
    auto first = x.find_first_not_of('0');
    return first == std::string_view::npos ? x.substr(x.size())
                                           : x.substr(first);
  };
  auto x = bare(a);
  auto y = bare(b);
  if (x.size() != y.size())
    return x.size() < y.size() ? -1 : 1;
  if (auto order = x.compare(y); order != 0)
    return order;
  if (a.size() != b.size())
    return a.size() < b.size() ? -1 : 1;
  return 0;
}

/// How long both are the same, without a number that may differ further on.
std::size_t common_front(std::string_view a, std::string_view b) {
  std::size_t n = 0;
  while (n < a.size() && n < b.size() && a[n] == b[n])
    ++n;
  while (n > 0 && is_digit(a[n - 1]))
    --n;
  return n;
}

} // namespace

bool natural_less::operator()(std::string_view a, std::string_view b) const {
  // Most keys of a table begin alike.
  auto same = common_front(a, b);
  a.remove_prefix(same);
  b.remove_prefix(same);
  while (!a.empty() && !b.empty()) {
    if (is_digit(a[0]) && is_digit(b[0])) {
      auto x = take_number(a);
      auto y = take_number(b);
      if (auto order = compare_numbers(x, y); order != 0)
        return order < 0;
    } else if (a[0] != b[0]) {
      return static_cast<unsigned char>(a[0])
        < static_cast<unsigned char>(b[0]);
    } else {
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  return a.empty() && !b.empty();
}

} // namespace ao
