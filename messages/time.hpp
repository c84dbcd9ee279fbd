#pragma once

#include "messages/error.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace ao {

using std::chrono::milliseconds;

/// A moment on the wall clock, in milliseconds since 1970 UTC. For rows,
/// events and people; never for a deadline (those are monotonic, in memory).
using wall_time
  = std::chrono::time_point<std::chrono::system_clock, milliseconds>;

/// A moment on the monotonic clock: deadlines, leases, windows.
using mono_time = std::chrono::steady_clock::time_point;

wall_time wall_now();

/// RFC 3339 UTC with milliseconds: `2026-11-23T20:00:00.123Z`.
std::string format_time(wall_time t);

/// How far the host's clock is ahead of UTC at that moment.
std::chrono::minutes utc_offset_at(wall_time t);

/// The reverse of `format_time`; accepts one to nine digits of fraction or
/// none. Errors: `bad_input`.
result<wall_time> parse_time(std::string_view text);

/// A minute of the Gregorian calendar, UTC.
struct calendar_minute {
  int year = 1970;
  /// From 1.
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
};

/// Seconds and less are left out.
calendar_minute calendar_of(wall_time t);

/// The reverse; days past the end of the month go on into the next.
wall_time moment_of(const calendar_minute& c);

/// `20261123T200000123Z`, for git refs, where a colon is illegal.
std::string format_ref_time(wall_time t);

/// `500ms 30s 10m 4h 14d`. Errors: `bad_input`.
result<milliseconds> parse_duration(std::string_view text);

/// The shortest exact form: `90s`, `10m`, `1500ms`.
std::string format_duration(milliseconds d);

/// `512B 64KiB 64MiB 1GiB`. Errors: `bad_input`.
result<std::uint64_t> parse_size(std::string_view text);

std::string format_size(std::uint64_t bytes);

/// A new ULID (26 characters of Crockford's base 32; sorts by time).
std::string make_ulid();

} // namespace ao
