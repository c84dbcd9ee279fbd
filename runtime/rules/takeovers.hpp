#pragma once

#include "messages/change.hpp"
#include "messages/ids.hpp"

#include <string>
#include <vector>

namespace ao {

/// What the agent of a session that takes a change over is told beside the
/// task: where it stands, and what is wrong with the change.
/// @param from Who has worked on it last.
/// @param troubles What was said of its present head, in whole paragraphs.
std::string takeover_note(const change& c, const session_id& from,
                          const std::vector<std::string>& troubles);

} // namespace ao
