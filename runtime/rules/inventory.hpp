#pragma once

#include "messages/session.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ao {

/// What a node finds of one session when it starts, by the session's name.
struct found_session {
  session_id session;
  /// Its directory below `sessions/`.
  bool directory = false;
  /// Somebody answers on its shim's socket.
  bool shim = false;
  /// A pane of that name is on one of our servers.
  bool pane = false;
  bool worktree = false;
};

/// What is the matter with something that was found.
enum class finding_kind : std::uint8_t {
  /// A pane or shim of a session that has ended: to be stopped.
  ghost = 0,
  /// No row knows it (a database of yesterday, somebody else's hand): told,
  /// never touched.
  foreign = 1,
};

struct finding {
  finding_kind what = finding_kind::foreign;
  session_id session;
  /// `pane, shim` or the like.
  std::string parts;
};

/// Compares what is there with the rows. What belongs to a session that may
/// live is its RUNNER's to adopt and no finding; kept files of an ended
/// session are none either.
/// @param row_of The row of a session, none when there is none.
std::vector<finding> settle_inventory(
  const std::vector<found_session>& found,
  const std::function<std::optional<session>(const session_id&)>& row_of);

} // namespace ao
