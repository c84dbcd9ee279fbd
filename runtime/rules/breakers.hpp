#pragma once

#include "messages/breaker.hpp"
#include "messages/event.hpp"
#include "messages/session.hpp"
#include "messages/settings.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ao {

/// The class of failure of a login that is lost.
inline constexpr std::string_view auth_failure = "auth";

/// Whose agents fail together: `codex@work`, or `codex` where no account is
/// named. An agent of the adapter `command` without an account is alone.
std::string account_of(const agent_settings& agent);

/// The key of the breaker of this agent and class of failure.
std::string breaker_key(const agent_settings& agent, std::string_view failure);

/// True for an end that says something about the program or its account: not
/// our own stop, not a signal from outside, not a known common cause, and
/// nothing that passes by itself.
bool tells_of_account(const exit_info& e);

/// When a breaker opens, and how it closes again.
struct breaker_limits {
  /// Between two probes, or two tries.
  milliseconds half_open{30'000};
  /// How long the one that is tried must live.
  milliseconds probation{15'000};
  /// Sessions that die of one class, other than `auth`, …; 0 = never.
  std::size_t deaths = 3;
  /// … within this time open it.
  milliseconds window{120'000};
};

/// What the BREAKERS remember of one; none of it is needed again after a crash.
struct breaker_memory {
  struct death {
    session_id session;
    mono_time at{};
  };
  std::vector<death> recent;
  /// While it is open: when to probe, or to try one.
  std::optional<mono_time> next_try;
  /// A probe is under way.
  bool probing = false;
  /// Since when the one that is tried lives.
  std::optional<mono_time> alive_since;
};

struct breaker_entry {
  breaker row;
  breaker_memory memory;
};

// -- inputs -------------------------------------------------------------------

/// An agent has failed, or one was refused before it was made.
struct agent_failed {
  std::string agent;
  project_id project;
  /// Empty where nothing was made.
  session_id session;
  std::string reason;
};

/// The answer to `ask_probe`.
struct probe_answered {
  bool ready = false;
  std::string reason;
};

/// A person has repaired something: no need to wait.
struct try_now {};

/// What has become of the one that is tried.
enum class trial_state : std::uint8_t {
  /// It has ended in a way that says nothing.
  gone,
  /// It has not begun yet.
  waiting,
  alive,
  /// It has done something: its login works.
  passed,
};

/// Time has passed, or rows have changed.
struct breaker_look {
  /// Who could be tried or resumed, in this order.
  std::vector<session_id> held;
  /// Somebody else will be able to soon: its restart is due later.
  bool more_to_come = false;
  trial_state trial = trial_state::gone;
};

using breaker_input
  = std::variant<agent_failed, probe_answered, try_now, breaker_look>;

// -- effects ------------------------------------------------------------------

/// Ask whether the agent could start now.
struct ask_probe {};
/// Tell this session to go on; idempotent.
struct resume_held {
  session_id session;
};
/// Tell people that it is over.
struct relieve {
  std::string why;
};

using breaker_effect = std::variant<ask_probe, resume_held, relieve>;

struct breaker_step {
  breaker_entry next;
  /// True when the row is to be committed; its version is one more already.
  bool changed = false;
  std::vector<event> events;
  /// To be done after the commit.
  std::vector<breaker_effect> effects;
  /// When to look again although nothing has happened.
  std::optional<mono_time> again_at;
};

/// A row that nothing has happened to yet.
breaker new_breaker(const agent_settings& agent, std::string_view failure);

/// The machine of one breaker:
///
///   closed --auth fails once, or some die of one class--> open
///   open --probe fails--> open, probed again after `half_open`
///        --probe passes--> closed
///        --probe passes, but agents fail all the same--> half open
///        --no probe (another class than auth), `half_open` is over--> half
///        open
///   half open --one is tried and lives or works--> closed
///             --it fails--> open
///             --nobody waits--> closed
///
/// Closed again, it has all go on that it has held.
breaker_step
next_breaker(const breaker_entry& entry, const breaker_input& input,
             const breaker_limits& limits, mono_time now, wall_time clock);

/// Whether the session waits for the breaker of its account (`auth`) to close.
bool is_held(const breaker& b, const session& s);

/// Whether the session failed of a lost login and has to be told to go on.
bool lost_its_login(const session& s);

/// What has become of the session that is tried.
trial_state state_of_trial(const breaker& b, const session& s);

/// Why an agent of its account cannot start, one line.
std::string why_held(const breaker& b);

} // namespace ao
