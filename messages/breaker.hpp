#pragma once

#include "messages/ids.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ao {

/// Whether agents of one program and account may start.
enum class breaker_state : std::uint8_t {
  /// They may.
  closed = 0,
  /// None may: they fail of one cause.
  open = 1,
  /// One is tried, the others wait for what becomes of it.
  half_open = 2,
};

std::string_view to_string(breaker_state s);
std::optional<breaker_state> breaker_state_from(std::string_view text);

/// A row of `breakers`: one program, account and class of failure. The BREAKERS
/// are its one writer; it is kept when it has closed.
struct breaker {
  /// `codex@work/auth`.
  std::string key;
  std::uint64_t version = 0;
  /// `codex@work`; only `codex` where no account is named.
  std::string account;
  /// The class of failure (DESIGN §8).
  std::string failure;
  breaker_state state = breaker_state::closed;
  /// Why it is open, for people: what fails and what to do about it.
  std::string reason;
  /// Who failed first since it opened; the session is empty where a spawn was
  /// refused. Its agent is the one that is probed.
  std::string agent;
  project_id project;
  session_id session;
  /// Agents fail although the probe passes: one must have been tried before
  /// the others may go on.
  bool blind = false;
  /// People know of it.
  bool alarmed = false;
  /// Who is tried while it is half open; empty = nobody yet.
  session_id trial;
  /// How often it has opened.
  std::uint64_t trips = 0;
  std::optional<wall_time> opened_at;
  std::optional<wall_time> closed_at;
  wall_time updated_at{};
};

namespace msg {

/// SESSION, API, DISPATCHER → BREAKERS: an agent has failed. Answered with the
/// version of the breaker's row once it is durable.
struct agent_failed {
  std::string agent;
  project_id project;
  /// Empty where it was refused before anything was made for it.
  session_id session;
  /// The class of failure.
  std::string failure;
  /// For people: what fails and what to do about it.
  std::string reason;
};

} // namespace msg

/// Whether agents of it may not start.
inline bool holds(const breaker& b) {
  return b.state != breaker_state::closed;
}

} // namespace ao
