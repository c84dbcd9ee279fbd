#pragma once

#include "actors/hub_context.hpp"
#include "runtime/rules/placement.hpp"

#include <map>
#include <vector>

namespace ao {

/// Where sessions can go at one moment, from the rows and the board.
class placements {
public:
  /// @param granted Sessions that were just given a place and have not taken
  ///        it yet.
  placements(const hub_context& context,
             const std::map<session_id, node_name>& granted);

  /// Where to start the session, or why nowhere now. One that has a place
  /// stays there, unless its node is lost, gone or drained: then its claim was
  /// granted anew. Where no node has joined that is the embedded one, without a
  /// word.
  placement choose(const session& s, const task* t) const;

private:
  /// Empty where no node has joined.
  std::vector<placement_node> nodes_;
  bool has_left(const session& s) const;

  const row_view* rows_;
  const settings* config_;
  /// Nodes that are lost, or were to be empty by now, and since when.
  std::map<node_name, wall_time> left_;
};

} // namespace ao
