#pragma once

#include "messages/change.hpp"
#include "messages/session.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// The one word shown for a session (DESIGN §6); derived, never stored.
enum class shown_status : std::uint8_t {
  spawning,
  working,
  idle,
  needs_input,
  stuck,
  pr_open,
  ci_failed,
  review_pending,
  changes_requested,
  approved,
  mergeable,
  merged,
  done,
  killed,
  errored,
  queued,
  restarting,
  rate_limited,
  auth_blocked,
  lost,
  parked,
};

std::string_view to_string(shown_status s);

/// All of them, in order; for docs and tests.
const std::vector<shown_status>& all_shown_statuses();

/// `killed done merged errored`: hidden unless asked for.
bool is_terminal(shown_status s);

/// What is known of a session besides its rows.
struct status_facts {
  /// A breaker holds its (program, account).
  bool auth_blocked = false;
  /// Its agent waits for a limit to pass.
  bool rate_limited = false;
  /// An incident says so.
  bool stuck = false;
};

/// The first that applies: end, parked, lost, queued, start, block, question,
/// restart, stuck, the change, activity.
/// @param c Its change, or null.
shown_status status_of(const session& s, const change* c,
                       const status_facts& facts = {});

/// One line for people: what it does or waits for.
std::string summary_of(const session& s, const change* c,
                       const status_facts& facts = {});

} // namespace ao
