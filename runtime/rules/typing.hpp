#pragma once

#include "messages/message.hpp"
#include "messages/time.hpp"
#include "messages/worktree.hpp"

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ao {

/// Where the typing of one text into one pane stands.
enum class typing_phase : std::uint8_t {
  /// Looks at the pane before it touches it.
  aiming,
  /// A key before the text is pressed; waits until the screen rests.
  preparing,
  /// The paste is under way.
  pasting,
  /// The text is in the pane; waits for its echo, but not for long.
  echoing,
  /// Enter is under way.
  pressing,
  /// Enter was pressed; waits for proof.
  confirming,
  done,
};

/// Commands that an agent goes on with in the background although it was
/// interrupted.
struct kept_commands {
  /// Is on the screen while there are any.
  std::string sign;
  /// Ends them: typed, then Enter.
  std::string order;
};

/// The node's side of one delivery.
struct typing_state {
  std::string text;
  /// Still to be pressed before the text: the key that interrupts the agent,
  /// the key that clears its input line.
  std::list<std::string> keys_before;
  /// Ended after these keys, and before the text, when the screen tells of any.
  std::optional<kept_commands> kept;
  /// An earlier try came into the pane, perhaps up to Enter: the text is not
  /// pasted again, but Enter is pressed when it stands in the input line.
  bool resumed = false;
  /// That try had pressed Enter: what stands in no input line any more counts
  /// as submitted.
  bool entered = false;
  /// The program writes down what it has heard: that alone is proof, and what
  /// is not there at the end of its run has not arrived.
  bool by_transcript = false;

  typing_phase phase = typing_phase::aiming;
  /// How often the end of the text was on the screen before.
  std::size_t shown_before = 0;
  bool echoed = false;
  /// The program had shown the text in its input line before Enter.
  bool stood = false;
  /// The row of the cursor at that time.
  std::string row_before;
  /// The row of the cursor before the text was pasted: what an input line looks
  /// like that has none.
  std::optional<std::string> empty_row;
  /// The terminal, not the program, edits the line: each newline in the text
  /// enters what is before it.
  bool line_mode = false;
  /// Since when the input line is without the text, after Enter.
  std::optional<mono_time> left_at;
  /// This try has brought the text into the pane.
  bool pasted = false;
  /// Enter was pressed so often.
  int presses = 0;
  mono_time phase_since{};
  mono_time pressed_at{};
  std::string last_screen;
  /// The screen is not as it was before the last key.
  bool answered_key = false;
};

// -- inputs -------------------------------------------------------------------

/// The pane as it is now.
struct pane_looked {
  msg::seen_pane view;
};
/// The run has no pane any more.
struct pane_lost {
  std::string why;
};
/// The paste or the key has reached the pane.
struct typing_done {};
/// It failed; unless the pane was gone, nobody knows how far it came.
struct typing_failed {
  bool pane_gone = false;
  std::string why;
};

/// The program's transcript has the text.
struct text_heard {};

using typing_input = std::variant<pane_looked, pane_lost, typing_done,
                                  typing_failed, text_heard>;

// -- effects ------------------------------------------------------------------

struct look_after {
  milliseconds delay{0};
};
/// Note that it is begun, paste, note that it is done.
struct paste_letter {};
/// Press the key; note it when it is Enter.
struct press_letter_key {
  std::string key;
  bool submits = false;
};
/// Tell the hub.
struct tell_delivery {
  message_state state = message_state::queued;
  bool last = false;
  std::string source;
  std::string detail;
};

using typing_effect
  = std::variant<look_after, paste_letter, press_letter_key, tell_delivery>;

struct typing_step {
  typing_state next;
  std::vector<typing_effect> effects;
};

/// How one text gets into one pane: bracketed paste, Enter, proof.
///
///   aiming --(keys before, the end of kept commands)-> pasting --> echoing -->
///   pressing --> confirming
///
///   aiming      cannot be typed --> undeliverable
///   aiming, preparing, echoing
///               a dialog stands in the pane --> queued again
///   pasting     failed --> unknown
///   echoing, pressing
///               the pane is gone --> queued again
///   confirming  the text is shown and has left the input line
///                 --> acknowledged
///               it visibly stays in the input line
///                 --> pressing again, a bounded number of times
///               nothing is seen --> stays submitted
///
/// Where a transcript tells what was heard, the echo is no proof: Enter may be
/// taken long before the program turns to the text. It stays submitted, with
/// nothing looked at, until it is heard, or the run is over and it counts for
/// nothing.
///
/// A key answers a dialog, and often ends the program: none is pressed while
/// one stands, after Enter neither. Who shows one has `about_dialog` as the
/// source of what is told.
///
/// One that is resumed goes from aiming to pressing, or ends as unknown; as
/// submitted when Enter was pressed before.
typing_step next_typing(const typing_state& state, const typing_input& input,
                        mono_time now);

/// The kernel's line editing and all known agent programs empty their input
/// line at it.
inline constexpr std::string_view clear_line_key = "C-u";

/// The source of the word that a dialog or a login screen is in the way.
inline constexpr std::string_view about_dialog = "dialog";

/// Why `text` cannot be typed into such a terminal; nothing when it can.
std::optional<std::string> untypable(std::string_view text,
                                     const msg::seen_pane& view);

/// How often the end of `text` is to be seen on `screen`, whatever wraps it.
std::size_t times_shown(std::string_view text, std::string_view screen);

} // namespace ao
