#pragma once

#include "messages/session.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// Now, and what the programs' words about times of the day refer to.
struct local_clock {
  wall_time now{};
  /// Local time minus UTC.
  milliseconds utc_offset{0};
};

/// What an agent's end, turn or screen says of its failure.
struct failure_verdict {
  /// A class of DESIGN §8; empty = none that is known.
  std::string failure;
  /// The program's own words.
  std::string text;
  /// When a limit ends, where the words say so.
  std::optional<wall_time> until;
};

/// When a limit ends, by the words about it: `try again in 3m20s`, `resets
/// 3pm`, `try again at Nov 28th, 2026 3:45 PM`, `…|1795464000`. Nothing when
/// they do not say, or say more than eight days.
std::optional<wall_time> reset_time(std::string_view words,
                                    const local_clock& clock);

/// The class of the failure of a turn, with the end of its limit: a used-up
/// plan that comes back is a limit that passes.
failure_verdict failure_of_turn(const conversation_state& turn,
                                const local_clock& clock);

/// Of a run that has ended by itself: by the rows that its program has left
/// last. Only words that a program begins its last rows with count, so what an
/// agent merely writes about does not.
failure_verdict failure_of_exit(const exit_info& end, const local_clock& clock);

/// Of a program that lives: a dialog or a login screen at the bottom of its
/// pane (`auth`, `trust_prompt`, `permission_prompt`), with its text. A dialog
/// has a choice with a cursor and nothing but hints below it.
failure_verdict failure_of_screen(const std::vector<std::string>& rows);

} // namespace ao
