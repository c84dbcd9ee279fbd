#include "messages/time.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <random>

namespace ao {
namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr unit duration_units[] = {
  {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};

constexpr unit size_units[]
  = {{"GiB", 1ull << 30}, {"MiB", 1ull << 20}, {"KiB", 1ull << 10}, {"B", 1}};

/// Reads `<digits><unit>`; false when it is anything else or overflows.
template <std::size_t N>
bool parse_with_unit(std::string_view text, const unit (&units)[N],
                     std::uint64_t& out) {
  std::uint64_t n = 0;
  const auto* end = text.data() + text.size();
  auto [stop, problem] = std::from_chars(text.data(), end, n);
  if (problem != std::errc{} || stop == text.data())
    return false;
  auto name = text.substr(static_cast<std::size_t>(stop - text.data()));
  for (const auto& u : units) {
    if (u.name != name)
      continue;
    if (n > (1ull << 53) / u.factor)
      return false;
    out = n * u.factor;
    return true;
  }
  return false;
}

template <std::size_t N>
std::string format_with_unit(std::uint64_t n, const unit (&units)[N]) {
  for (const auto& u : units)
    if (n != 0 && n % u.factor == 0)
      return std::to_string(n / u.factor) + std::string{u.name};
  return "0" + std::string{units[N - 1].name};
}

std::tm utc(wall_time t, int& ms) {
  auto since = t.time_since_epoch().count();
  auto secs = static_cast<std::time_t>(since / 1000);
  ms = static_cast<int>(since % 1000);
  if (ms < 0) {
    ms += 1000;
    --secs;
  }
  std::tm out{};
  gmtime_r(&secs, &out);
  return out;
}

/// Writes `n` over the digits that end before `end`.
void put_digits(char* end, int n, int width) {
  for (; width > 0; --width, n /= 10)
    *--end = static_cast<char>('0' + n % 10);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Two digits; `good` is false when they are none.
int number_at(std::string_view text, std::size_t at, bool& good) {
  good = good && is_digit(text[at]) && is_digit(text[at + 1]);
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

bool is_leap(int year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int days_in(int year, int month) {
  constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/// Days from 1970-01-01, in the Gregorian calendar; much faster than timegm.
std::int64_t days_before(int year, int month, int day) {
  // Years begin in March here, so that the leap day is the last of one.
  auto y = std::int64_t{year} - (month <= 2 ? 1 : 0);
  auto era = (y >= 0 ? y : y - 399) / 400;
  auto of_era = y - era * 400;
  auto of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  auto days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
  constexpr std::int64_t days_of_era = 146'097;
  constexpr std::int64_t days_to_1970 = 719'468;
  return era * days_of_era + days - days_to_1970;
}

} // namespace

wall_time wall_now() {
  return std::chrono::time_point_cast<milliseconds>(
    std::chrono::system_clock::now());
}

std::chrono::minutes utc_offset_at(wall_time t) {
  auto secs = std::chrono::system_clock::to_time_t(t);
  std::tm out{};
  localtime_r(&secs, &out);
  return std::chrono::duration_cast<std::chrono::minutes>(
    std::chrono::seconds{out.tm_gmtoff});
}

std::string format_time(wall_time t) {
  int ms = 0;
  auto tm = utc(t, ms);
  // By hand: each row that is stored has several times, and printf was a third
  // of the cost of its text.
  std::string out = "0000-00-00T00:00:00.000Z";
  auto* text = out.data();
  put_digits(text + 4, tm.tm_year + 1900, 4);
  put_digits(text + 7, tm.tm_mon + 1, 2);
  put_digits(text + 10, tm.tm_mday, 2);
  put_digits(text + 13, tm.tm_hour, 2);
  put_digits(text + 16, tm.tm_min, 2);
  put_digits(text + 19, tm.tm_sec, 2);
  put_digits(text + 23, ms, 3);
  return out;
}

calendar_minute calendar_of(wall_time t) {
  int ms = 0;
  auto tm = utc(t, ms);
  return {tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min};
}

wall_time moment_of(const calendar_minute& c) {
  auto days = days_before(c.year, c.month, c.day);
  return wall_time{std::chrono::hours{days * 24 + c.hour}
                   + std::chrono::minutes{c.minute}};
}

std::string format_ref_time(wall_time t) {
  int ms = 0;
  auto tm = utc(t, ms);
  std::array<char, 64> buf{};
  std::snprintf(buf.data(), buf.size(), "%04d%02d%02dT%02d%02d%02d%03dZ",
                tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                tm.tm_min, tm.tm_sec, ms);
  return buf.data();
}

result<wall_time> parse_time(std::string_view text) {
  auto bad = [&] {
    return fail(ec::bad_input,
                "\"" + std::string{text}
                  + "\" is not a time, expected "
                    "YYYY-MM-DDTHH:MM:SS[.mmm]Z");
  };
  constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd";
  if (text.size() <= form.size())
    return bad();
  auto good = text[4] == '-' && text[7] == '-' && text[10] == 'T'
    && text[13] == ':' && text[16] == ':';
  auto year = number_at(text, 0, good) * 100 + number_at(text, 2, good);
  auto month = number_at(text, 5, good);
  auto day = number_at(text, 8, good);
  auto hour = number_at(text, 11, good);
  auto minute = number_at(text, 14, good);
  auto second = number_at(text, 17, good);
  if (!good)
    return bad();
  if (month < 1 || month > 12 || day < 1 || day > days_in(year, month)
      || hour > 23 || minute > 59 || second > 59)
    return bad();
  auto rest = text.substr(form.size());
  int ms = 0;
  if (rest[0] == '.') {
    std::size_t i = 1;
    int scale = 100;
    for (; i < rest.size() && is_digit(rest[i]); ++i) {
      ms += (rest[i] - '0') * scale;
      scale /= 10;
    }
    if (i == 1 || i > 10)
      return bad();
    rest = rest.substr(i);
  }
  if (rest != "Z")
    return bad();
  auto seconds
    = ((days_before(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
  return wall_time{milliseconds{seconds * 1000 + ms}};
}

result<milliseconds> parse_duration(std::string_view text) {
  std::uint64_t n = 0;
  if (!parse_with_unit(text, duration_units, n))
    return fail(ec::bad_input,
                "\"" + std::string{text}
                  + "\" is not a duration, expected a number "
                    "with ms, s, m, h or d");
  return milliseconds{static_cast<std::int64_t>(n)};
}

std::string format_duration(milliseconds d) {
  return format_with_unit(static_cast<std::uint64_t>(d.count()),
                          duration_units);
}

result<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t n = 0;
  if (!parse_with_unit(text, size_units, n))
    return fail(ec::bad_input,
                "\"" + std::string{text}
                  + "\" is not a size, expected a number with "
                    "B, KiB, MiB or GiB");
  return n;
}

std::string format_size(std::uint64_t bytes) {
  return format_with_unit(bytes, size_units);
}

std::string make_ulid() {
  static constexpr char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  thread_local std::mt19937_64 random{std::random_device{}()};
  auto ms = static_cast<std::uint64_t>(wall_now().time_since_epoch().count());
  std::string text(26, '0');
  for (int i = 9; i >= 0; --i, ms >>= 5)
    text[static_cast<std::size_t>(i)] = alphabet[ms & 31];
  for (std::size_t i = 10; i < 26; ++i)
    text[i] = alphabet[random() & 31];
  return text;
}

} // namespace ao
