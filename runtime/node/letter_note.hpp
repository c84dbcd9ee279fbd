#pragma once

#include "messages/message.hpp"

#include <optional>
#include <string>

namespace ao {

/// What a node has written down about a message before and after it touched
/// the pane: `sessions/<id>/in/<message>`. After a crash it says whether
/// something may have been typed.
struct letter_note {
  message_id message;
  run_no run = 0;
  /// `queued` = typing has begun; the others as the states of messages.
  message_state state = message_state::queued;
  std::string detail;
};

/// Replaces the note, durably. Errors: `home_unusable`, `bad_input` for an id
/// that is no name of a file.
result<void> write_note(const std::string& session_dir,
                        const letter_note& note);

/// The note; nothing when there is none.
/// Errors: `home_unusable`, `bad_input` when it is not ours.
result<std::optional<letter_note>> read_note(const std::string& session_dir,
                                             const message_id& id);

/// Takes the note back: nothing of the message counts as typed.
/// Errors: `home_unusable`.
result<void> remove_note(const std::string& session_dir, const message_id& id);

} // namespace ao
