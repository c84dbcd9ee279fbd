#pragma once

#include "messages/ids.hpp"

#include <string>

namespace ao {

/// What the commit of a merged change tells.
struct merge_note {
  /// Title of the task; foreign text.
  std::string title;
  change_id change;
  task_id task;
  session_id session;
  epoch_no epoch = 0;
};

/// The message of a merged change: subject `<title> (<change>)` on one line,
/// trailers `Ao-Task`, `Ao-Session`, `Ao-Epoch`. No title can add a line or a
/// trailer.
std::string squash_message(const merge_note& note);

} // namespace ao
