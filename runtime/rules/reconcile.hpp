#pragma once

#include "messages/event.hpp"
#include "messages/ids.hpp"
#include "messages/session.hpp"
#include "messages/settings.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

// -- who has what -------------------------------------------------------------

/// Whose a run is that a node has.
enum class held_as : std::uint8_t {
  /// The node's own, by the records.
  own,
  /// What a session has left there when the node was lost: its agent has to be
  /// ended, its work stays until it is decided whose counts.
  left,
  /// Not its any more, to be ended and its work parked: the session is unknown
  /// (the records are of an older backup, or it is long over), is another
  /// node's, or is under another grant; also a run that the records do not
  /// know. What is merely over ends by the orders of its SESSION.
  lost,
};

/// @param row Of the session; null = there is none.
held_as standing_of(const node_name& node, epoch_no epoch, run_no run,
                    const session* row);

/// Whether a session has, or may have, an agent or unfinished work on its node,
/// so that a drain waits for it. One that is parked for a person waits for
/// nobody else, and its work is kept.
bool holds_node(const session& s);

/// Whether its agent was stopped to see whose work counts, or its task is on
/// its way back.
bool is_reconciled(const session& s);

// -- whose work counts --------------------------------------------------------

/// The classes of work, each better than all before it.
enum class work_rank : std::uint8_t {
  /// The commit that both have begun at, and no file beyond it.
  nothing,
  /// Changed or untracked files.
  uncommitted,
  /// Commits that the forge does not have.
  commits,
  /// A head of its own at the forge, or reported by an agent that has come to
  /// its end: finished work.
  delivered,
};

/// How much one side has of its own; what both have counts for neither.
struct work_score {
  work_rank rank = work_rank::nothing;
  /// Commits of a branch, or files; zero where the rank says all.
  std::uint64_t amount = 0;

  friend bool operator<(const work_score& a, const work_score& b) {
    return a.rank != b.rank ? a.rank < b.rank : a.amount < b.amount;
  }
  friend bool operator==(const work_score& a, const work_score& b) {
    return a.rank == b.rank && a.amount == b.amount;
  }
};

/// The score of a worktree:
///
///   delivered                                -> delivered
///   a head that is not `begun_at`, and ahead -> commits, how many
///   changed or untracked files               -> uncommitted, how many
///   else, or no worktree                     -> nothing
///
/// Within a rank more is better. Nothing of it depends on the clocks of two
/// hosts, as the lengths of their runs would.
/// @param begun_at Where the branch was at the forge when the node was lost;
///        empty = nowhere.
work_score score_of(const std::optional<worktree_facts>& worktree,
                    const std::string& begun_at, bool delivered);

/// What is known when a lost node is back with what a session has left there.
struct return_facts {
  reconcile_policy policy = reconcile_policy::keep_original;
  /// Why the node gets no work; empty = it does.
  std::string closed = {};
  /// The session has gone back once.
  bool went_back = false;
  /// None = nothing is there any more.
  std::optional<work_score> original;
  /// The replacement has: found without a look at its worktree.
  bool delivered = false;
  /// Known once its agent is stopped.
  std::optional<work_score> replacement;
};

struct return_verdict {
  /// The task goes back; else the replacement stays.
  bool original = false;
  /// For people.
  std::string why;
};

/// Whose work counts, or nothing when the replacement has to be stopped and
/// looked at first. The first line that fits:
///
///   keep_replacement                              -> the replacement
///   it has gone back before                       -> the replacement
///   the node is cordoned, drained, revoked, away  -> the replacement
///   nothing is left there                         -> the replacement
///   the replacement has delivered                 -> the replacement
///   best_score, and the original has `nothing`    -> the replacement
///   the replacement is not known                  -> look at it
///   keep_original                                 -> the original
///   best_score, and the replacement has more      -> the replacement
///   best_score                                    -> the original
std::optional<return_verdict> judge_return(const return_facts& facts);

// -- what has lost ------------------------------------------------------------

/// Whether a ref is one of work that has lost.
bool is_parked_ref(std::string_view ref);

/// The last such ref of several; empty = none is.
std::string parked_ref_in(const std::vector<std::string>& refs);

/// The work of a run that has lost is kept: `session_disowned`.
/// @param node Where it is kept.
/// @param row Of the session; null = there is none.
event disowned_event(const session_id& id, epoch_no epoch,
                     const node_name& node, const std::string& ref,
                     const session* row, wall_time now);

/// What the record of that is known by: it is told once.
std::string disowned_key(const session_id& id, epoch_no epoch,
                         const std::string& ref);

} // namespace ao
