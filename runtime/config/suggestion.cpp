#include "runtime/config/suggestion.hpp"

#include <algorithm>

namespace ao {
namespace {

constexpr std::size_t far = 3;

} // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows suffice: a swap looks back two.
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1),
    row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      auto replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string suggest(std::string_view word,
                    const std::vector<std::string>& known) {
  // Three letters of three are no slip; two of four may be.
  auto best = std::min(far, word.size());
  const std::string* found = nullptr;
  for (const auto& candidate : known) {
    auto longer = std::max(word.size(), candidate.size());
    auto shorter = std::min(word.size(), candidate.size());
    if (longer - shorter >= best)
      continue;
    auto distance = edit_distance(word, candidate);
    if (distance > 0 && distance < best) {
      best = distance;
      found = &candidate;
    }
  }
  return found ? *found : std::string{};
}

} // namespace ao
