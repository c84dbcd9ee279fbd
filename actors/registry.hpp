#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/tasks.hpp"
#include "runtime/rules/registry.hpp"

#include <deque>
#include <functional>
#include <string>

namespace ao {

/// State of the REGISTRY.
struct registry_state {
  static inline const char* name = "registry";
  hub_context context;
  registry_book book;

  /// A request whose subject is being decided about; tried again when a
  /// decision ends.
  struct waiting_call {
    std::string subject;
    std::function<void()> run;
  };
  std::deque<waiting_call> waiting;

  /// Set while the disk takes no writes: the error of the last one.
  std::optional<error> stalled;
};

/// Who may work on what: decides by the book, commits, adopts, tells.
///
///   request --subject free--> decide --> COMMIT --> adopt --> effects, answer
///           --locked--> waits for the decision under way
///   a commit fails: answer the error, quit; the book is rebuilt from rows
///   the disk takes no writes: answer the error to all, rebuild the book later
///
/// @param self The actor handle.
/// @param context The hub.
registry_actor::behavior_type
registry(registry_actor::stateful_pointer<registry_state> self,
         hub_context context);

} // namespace ao
