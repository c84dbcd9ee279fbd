#pragma once

#include "messages/ids.hpp"
#include "messages/session.hpp"
#include "messages/time.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace ao {

/// When many deaths at once are taken for one cause that we do not know
/// (DESIGN §8: a bad login, a full disk, a broken agent program).
struct blast_limits {
  /// At least so many …
  std::size_t deaths = 5;
  /// … and more than half of the sessions, within this time.
  milliseconds window{10'000};
  /// How long the one that is tried must live.
  milliseconds probation{10'000};
};

/// What is remembered about deaths without a known common cause.
struct blast_state {
  struct death {
    session_id session;
    mono_time at{};
  };
  std::vector<death> recent;
  /// Restarts wait, but for one.
  bool paused = false;
  /// The one that is tried; empty while nobody is.
  session_id probe;
  std::optional<mono_time> probe_alive_since;
};

/// What a look at the rows shows.
struct blast_picture {
  /// Died since the last look, of no known common cause.
  std::vector<session_id> died;
  std::vector<session_id> alive;
  /// The one that is tried has come to the end of its work: it did not die.
  bool probe_has_finished = false;
  /// It will not be started now: it has ended otherwise, is parked, or its node
  /// is silent or lost.
  bool probe_has_left = false;
};

/// What has become of the one that is tried.
/// @param probe Its row; null when there is none any more.
/// @param away Its node is not heard: whatever it does there is not known.
void look_at_probe(const session* probe, bool away, blast_picture& seen);

/// What a look leads to.
struct blast_step {
  blast_state next;
  /// Set when the pause begins or ends with this look; for the log.
  std::string said;
  /// When to look again although nothing has happened.
  std::optional<mono_time> again_at;
};

/// Takes in a look.
///
///   normal --many deaths--> paused, one is tried
///   paused --it lives through its probation, or ends as it should--> normal
///          --it dies, or is not started--> paused, another one is tried
blast_step next_blast(const blast_state& state, const blast_picture& seen,
                      const blast_limits& limits, mono_time now);

/// Why the restart of `id` has to wait; empty when it may go on. The first to
/// ask during a pause is the one that is tried.
/// @param away Its node is not heard: it cannot be tried.
std::string hold_restart(blast_state& state, const session_id& id, bool away);

} // namespace ao
