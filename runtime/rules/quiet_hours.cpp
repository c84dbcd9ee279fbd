#include "runtime/rules/quiet_hours.hpp"

namespace ao {
namespace {

using std::chrono::minutes;

constexpr minutes one_day = std::chrono::hours{24};

std::optional<minutes> clock_time(std::string_view text) {
  if (text.size() != 5 || text[2] != ':')
    return std::nullopt;
  for (auto i : {0, 1, 3, 4})
    if (text[static_cast<std::size_t>(i)] < '0'
        || text[static_cast<std::size_t>(i)] > '9')
      return std::nullopt;
  auto hour = (text[0] - '0') * 10 + (text[1] - '0');
  auto minute = (text[3] - '0') * 10 + (text[4] - '0');
  if (hour > 23 || minute > 59)
    return std::nullopt;
  return minutes{hour * 60 + minute};
}

/// How long it is since the quiet hours began last.
milliseconds since_begin(const quiet_hours& hours, wall_time t,
                         minutes utc_offset) {
  auto local = t.time_since_epoch() + utc_offset - hours.begin;
  auto rest
    = std::chrono::duration_cast<milliseconds>(local) % milliseconds{one_day};
  return rest < milliseconds{0} ? rest + milliseconds{one_day} : rest;
}

minutes length_of(const quiet_hours& hours) {
  auto length = hours.end - hours.begin;
  return length < minutes{0} ? length + one_day : length;
}

} // namespace

std::optional<quiet_hours> quiet_hours_from(std::string_view text) {
  if (text.size() != 11 || text[5] != '-')
    return std::nullopt;
  auto begin = clock_time(text.substr(0, 5));
  auto end = clock_time(text.substr(6));
  if (!begin || !end || *begin == *end)
    return std::nullopt;
  return quiet_hours{*begin, *end};
}

bool is_quiet(const quiet_hours& hours, wall_time t, minutes utc_offset) {
  return since_begin(hours, t, utc_offset) < length_of(hours);
}

wall_time quiet_until(const quiet_hours& hours, wall_time t,
                      minutes utc_offset) {
  return t + length_of(hours) - since_begin(hours, t, utc_offset);
}

} // namespace ao
