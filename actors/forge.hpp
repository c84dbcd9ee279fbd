#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/forge.hpp"
#include "runtime/actor/askers.hpp"
#include "runtime/forge/local.hpp"

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ao {

/// Work that waits for its turn. Who asks for the same meanwhile gets the same
/// answer: whoever has no answer in time asks again, and the more there is to
/// do the more often that happens.
struct forge_turn {
  std::string what;
  std::function<void()> take;
  /// The `askers` of what the work answers.
  std::shared_ptr<void> waiting;
};

/// State of the FORGE.
struct forge_state {
  static inline const char* name = "forge";
  hub_context context;
  project_id project;
  std::optional<local_forge> git;

  /// What waits, oldest first: what holds up others, and the rest.
  std::list<forge_turn> urgent;
  std::list<forge_turn> others;
  /// The next turn is on its way.
  bool turning = false;

  /// Branches whose change is being born; a second asker waits for the first.
  std::map<std::string, std::vector<std::shared_ptr<askers<change>>>> births;

  /// When the last look at the checkout began, and the base after it.
  mono_time followed{};
  /// When that was wanted last.
  mono_time last_follower{};
  std::string base_sha;

  /// The numbers given to changes, ahead of the row while births are being
  /// written: two at once get two numbers.
  std::optional<counter> numbers;
};

/// The embedded forge of one project: seeds it, gives birth to changes, follows
/// the person's checkout before each session and each merge, and computes and
/// lands merges for the MERGE QUEUE.
///
///   asked --> urgent (merges, where a branch is) --+--turn by turn--> git
///         --> others (births, the checkout)      --+
///
/// @param self The actor handle; detached, as git blocks.
/// @param context The hub.
/// @param project Whose forge.
forge_actor::behavior_type
forge(forge_actor::stateful_pointer<forge_state> self, hub_context context,
      project_id project);

} // namespace ao
