#pragma once

#include "messages/breaker.hpp"
#include "messages/change.hpp"
#include "messages/incident.hpp"
#include "messages/message.hpp"
#include "messages/node.hpp"
#include "messages/session.hpp"
#include "messages/task.hpp"

#include <string_view>

namespace ao {

/// Reads the text that `dump` has made of a row, many times faster than
/// through a tree: the start of a hub reads all of them.
/// @returns false for any other text, also one that `from_json` takes (of an
/// older version, or edited by hand); `x` is then in no useful state.
bool read_text(std::string_view text, task& x);
bool read_text(std::string_view text, claim& x);
bool read_text(std::string_view text, counter& x);
bool read_text(std::string_view text, session& x);
bool read_text(std::string_view text, change& x);
bool read_text(std::string_view text, ci_run& x);
bool read_text(std::string_view text, change_review& x);
bool read_text(std::string_view text, incident& x);
bool read_text(std::string_view text, notification& x);
bool read_text(std::string_view text, breaker& x);
bool read_text(std::string_view text, message& x);
bool read_text(std::string_view text, cluster_node& x);
bool read_text(std::string_view text, join_token& x);

} // namespace ao
