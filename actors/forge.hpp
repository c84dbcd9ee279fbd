#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/forge.hpp"
#include "runtime/forge/local.hpp"

#include <optional>

namespace ao {

/// State of the FORGE.
struct forge_state {
  static inline const char* name = "forge";
  hub_context context;
  project_id project;
  std::optional<local_forge> git;

  /// Branches whose change is being born; a second asker waits for the first.
  std::map<std::string, std::vector<caf::typed_response_promise<change>>>
    births;

  /// When the last look at the checkout began, and the base after it.
  mono_time followed{};
  std::string base_sha;

  /// The numbers given to changes, ahead of the row while births are being
  /// written: two at once get two numbers.
  std::optional<counter> numbers;
};

/// The embedded forge of one project: seeds it, gives birth to changes, follows
/// the person's checkout before each session and each merge, and computes and
/// lands merges for the MERGE QUEUE.
///
/// @param self The actor handle; detached, as git blocks.
/// @param context The hub.
/// @param project Whose forge.
forge_actor::behavior_type
forge(forge_actor::stateful_pointer<forge_state> self, hub_context context,
      project_id project);

} // namespace ao
