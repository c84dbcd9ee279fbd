#pragma once

#include "messages/error.hpp"
#include "messages/ids.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// One line of a pre-receive hook's input. An object name of zeros means that
/// the ref does not exist (before: it is created, after: it is deleted).
struct ref_update {
  std::string old_sha;
  std::string new_sha;
  /// Full name, e.g. `refs/heads/ao/app-7`.
  std::string ref;

  bool creates() const;
  bool deletes() const;
};

/// Reads a pre-receive hook's input, one update a line. Errors: `bad_input`.
result<std::vector<ref_update>> parse_ref_updates(std::string_view text);

/// Who pushes, as proven by the token in the pusher's environment.
struct pusher {
  session_id session;
  epoch_no epoch = 0;
  run_no run = 0;
};

/// The claim under which the pusher's session works at present.
struct push_claim {
  session_id holder;
  epoch_no epoch = 0;
  run_no run = 0;
  /// The branch of the holder, short: `ao/app-7`; empty for a role that has
  /// none (mediator, reviewer).
  std::string branch;
  /// Whether the lease of the holder's node is valid now. During a start of
  /// the hub it is not known yet, and then the push must be tried again.
  bool lease_provable = false;
};

/// What is known when a push arrives.
struct push_facts {
  /// None when the pusher showed no token or a bad one.
  std::optional<pusher> who;
  /// None when the pusher's task is not claimed by anybody.
  std::optional<push_claim> claim;
  /// Branches that only the merge queue moves, short: `main`.
  std::vector<std::string> base_branches;
};

/// Decides about a push as a whole: pushes are atomic, one bad ref refuses
/// all. None = allowed. A refusal's context is the exact line that git shows
/// to the agent (CONTRACT §8): `ao: push refused: stale epoch 3 (current 4)`;
/// its code is `stale_epoch` for an old epoch or run, `push_refused` for all
/// else. Nothing about refs is said to one who may not push at all.
std::optional<error> refuse_push(const push_facts& facts,
                                 const std::vector<ref_update>& updates);

} // namespace ao
