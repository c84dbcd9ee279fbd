#include "runtime/rules/retention.hpp"

#include <algorithm>
#include <tuple>

namespace ao {

session_fate fate_of(const session& s, wall_time now, milliseconds keep) {
  if (!is_terminal(s))
    return session_fate::keep;
  // A clock that was set back makes nothing old.
  if (now - s.ended_at.value_or(s.updated_at) < keep)
    return session_fate::keep;
  return s.cleaned ? session_fate::remove_files : session_fate::clean_up;
}

std::vector<std::string> logs_to_remove(std::vector<kept_log> all,
                                        std::uint64_t most) {
  std::uint64_t sum = 0;
  for (const auto& log : all)
    sum += log.bytes;
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::tie(a.at, a.path) < std::tie(b.at, b.path);
  });
  std::vector<std::string> out;
  for (const auto& log : all) {
    if (sum <= most)
      break;
    if (log.in_use)
      continue;
    sum -= log.bytes;
    out.push_back(log.path);
  }
  return out;
}

} // namespace ao
